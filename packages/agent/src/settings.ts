import { type MeshProxyConfig, readMeshConfig } from '@heddle/config-model'
import { fail, ok, problem, type Result } from '@heddle/runtime'
import { type ProxyDescriptor, proxyFromJson } from '@heddle/translator'

/** What pilot-agent's command line says of the proxy, by the names of its flags; durations as Go writes them: `45s`. */
export interface ProxyFlags {
  configPath?: string
  binaryPath?: string
  serviceCluster?: string
  drainDuration?: string
  parentShutdownDuration?: string
  discoveryAddress?: string
  discoveryRefreshDelay?: string
  connectTimeout?: string
  proxyAdminPort?: string
  statusPort?: string
  concurrency?: string
  controlPlaneAuthPolicy?: string
  statsdUdpAddress?: string
  zipkinAddress?: string
}

/** The machine, as the injected pod tells of it. */
export interface AgentEnvironment {
  readonly type: 'sidecar' | 'router' | 'waypoint'
  /** Of the cluster's DNS; default `<namespace>.svc.cluster.local`. */
  readonly domain?: string
  readonly flags: ProxyFlags
  /** POD_NAME, POD_NAMESPACE, INSTANCE_IP, SERVICE_ACCOUNT, PROXY_CONFIG, ISTIO_META_… and ISTIO_METAJSON_…. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** The downward API's file of labels, `key="value"` lines. */
  readonly labels?: string
  /** Of the machine, for INSTANCE_IPS where INSTANCE_IP is not set. */
  readonly addresses?: readonly string[]
}

/** Everything that the agent needs to know of its proxy. */
export interface ProxySettings {
  readonly proxy: ProxyDescriptor
  readonly proxyConfig: MeshProxyConfig
  readonly drainMs: number
  readonly parentShutdownMs: number
  readonly connectTimeout: string
}

const GO_DURATION = /^(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/

/** Milliseconds of Go's `1m30s`, or undefined. */
export function goDuration(text: string): number | undefined {
  const parts = GO_DURATION.exec(text)
  if (text === '' || parts === null) return undefined
  const [h = 0, m = 0, s = 0, ms = 0] = parts.slice(1).map((part) => Number(part ?? 0))
  return ((h * 60 + m) * 60 + s) * 1000 + ms
}

const DURATIONS = {
  drainDuration: '45s',
  parentShutdownDuration: '60s',
  connectTimeout: '1s',
  discoveryRefreshDelay: '1s',
} as const

/** Flags, then PROXY_CONFIG, then Istio's defaults. Fails with `agent.invalid_setting`; the path is the flag or the variable. */
export function proxySettings(given: AgentEnvironment): Result<ProxySettings> {
  const { flags, env } = given
  for (const flag of Object.keys(DURATIONS) as (keyof typeof DURATIONS)[]) {
    const text = flags[flag]
    if (text !== undefined && goDuration(text) === undefined)
      return wrong(flag, `${JSON.stringify(text)} is no duration like 45s or 1m30s`)
  }
  for (const flag of ['proxyAdminPort', 'statusPort', 'concurrency'] as const) {
    const text = flags[flag]
    if (text !== undefined && !(/^\d+$/.test(text) && Number(text) <= 65_535))
      return wrong(flag, `${JSON.stringify(text)} is no number up to 65535`)
  }
  const policy = flags.controlPlaneAuthPolicy
  if (policy !== undefined && policy !== 'NONE' && policy !== 'MUTUAL_TLS')
    return wrong('controlPlaneAuthPolicy', 'it is NONE or MUTUAL_TLS')
  const read = readMeshConfig(env['PROXY_CONFIG'] ? `defaultConfig:\n${indent(env['PROXY_CONFIG'])}` : '')
  if (!read.ok) return fail(...read.diagnostics.map((diagnostic) => ({ ...diagnostic, path: `PROXY_CONFIG ${diagnostic.path}` })))
  const proxyConfig = withFlags(read.value.defaultConfig, flags)
  const proxy = describeProxy(given, proxyConfig)
  if (!proxy.ok) return proxy
  return ok(
    {
      proxy: proxy.value,
      proxyConfig,
      drainMs: proxyConfig.drainDuration,
      parentShutdownMs: goDuration(flags.parentShutdownDuration ?? DURATIONS.parentShutdownDuration)!,
      connectTimeout: `${goDuration(flags.connectTimeout ?? DURATIONS.connectTimeout)! / 1000}s`,
    },
    read.diagnostics,
  )
}

function wrong(path: string, why: string): Result<ProxySettings> {
  return fail(problem('agent.invalid_setting', path, `${path}: ${why}.`))
}

const indent = (yaml: string): string => yaml.replace(/^/gm, '  ')

// The proxy configuration has no such fields any more; they still show in the node.
const COMMAND_LINE_ONLY = new Set(['parentShutdownDuration', 'connectTimeout', 'discoveryRefreshDelay'])

function onlyFlags(flags: ProxyFlags): Record<string, unknown> {
  return Object.fromEntries(Object.entries(flags).filter(([name]) => COMMAND_LINE_ONLY.has(name)))
}

function withFlags(config: MeshProxyConfig, flags: ProxyFlags): MeshProxyConfig {
  const given = Object.entries(flags).filter(([name, value]) => value !== undefined && !COMMAND_LINE_ONLY.has(name))
  const values = given.map(([name, value]) => [
    name,
    name === 'drainDuration' ? goDuration(value) : /Port$|^concurrency$/.test(name) ? Number(value) : value,
  ])
  return { ...config, ...Object.fromEntries(values) }
}

function describeProxy(
  { type, domain, flags, env, labels = '', addresses = [] }: AgentEnvironment,
  config: MeshProxyConfig,
): Result<ProxyDescriptor> {
  const namespace = env['POD_NAMESPACE'] ?? 'default'
  const ips = env['INSTANCE_IP'] === undefined ? addresses : env['INSTANCE_IP'].split(',')
  const metadata = metadataOf(env)
  const described = proxyFromJson({
    id: env['POD_NAME'] ?? env['HOSTNAME'] ?? 'proxy',
    type,
    namespace,
    ip: [...ips],
    labels: { ...(metadata['LABELS'] as object | undefined), ...readLabels(labels) },
    serviceAccount: env['SERVICE_ACCOUNT'],
    network: metadata['NETWORK'],
    metadata: {
      INTERCEPTION_MODE: config.interceptionMode,
      ...metadata,
      NAME: env['POD_NAME'],
      PILOT_SAN: ['istiod.istio-system.svc'],
      ENVOY_STATUS_PORT: 15_021,
      // All of the command line, so that /server_info and the control plane show it.
      PROXY_CONFIG: { ...DURATIONS, ...onlyFlags(flags), ...plain(config), drainDuration: `${config.drainDuration / 1000}s` },
    },
  })
  return described.ok && domain !== undefined ? ok({ ...described.value, dnsDomain: domain }, described.diagnostics) : described
}

function plain(value: object): Record<string, unknown> {
  const { terminationDrainDuration, ...rest } = JSON.parse(JSON.stringify(value)) as Record<string, unknown>
  return terminationDrainDuration === undefined
    ? rest
    : { ...rest, terminationDrainDuration: `${Number(terminationDrainDuration) / 1000}s` }
}

/** ISTIO_META_X is a string, ISTIO_METAJSON_X an object or list. */
function metadataOf(env: AgentEnvironment['env']): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) continue
    if (name.startsWith('ISTIO_META_')) found[name.slice('ISTIO_META_'.length)] = value
    if (!name.startsWith('ISTIO_METAJSON_')) continue
    try {
      found[name.slice('ISTIO_METAJSON_'.length)] = JSON.parse(value) as unknown
    } catch {
      // As pilot-agent: what is no JSON is left out.
    }
  }
  return found
}

function readLabels(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/^([^=\n]+)="(.*)"$/gm)].map(([, key, value]) => [key!, value!.replaceAll('\\"', '"')]),
  )
}
