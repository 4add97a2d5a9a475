import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  type Agent,
  type AgentOptions,
  appProbes,
  appScrape,
  createAgent,
  type ProxyBinary,
  type ProxyFlags,
  proxySettings,
} from '@heddle/agent'
import { createJsonLogger, formatDiagnostic, systemClock } from '@heddle/runtime'
import { type Arguments, type Command, EXIT, type Flag, InputError, type Io, UsageError } from '../command.js'

/** pilot-agent's flags of `proxy`, which go into the proxy's configuration under the same names. */
const PROXY_FLAGS: Readonly<Record<keyof ProxyFlags, string>> = {
  configPath: 'folder of the bootstrap and the sockets (default ./etc/istio/proxy)',
  binaryPath: 'an Envoy (default: our own proxy)',
  serviceCluster: 'the service that this proxy stands for',
  drainDuration: 'how long SIGTERM lets connections end (default 45s)',
  parentShutdownDuration: 'of Envoy’s hot restart (default 60s)',
  discoveryAddress: 'the control plane (default istiod.istio-system.svc:15012)',
  discoveryRefreshDelay: 'for polling; gRPC pushes and does not heed it',
  connectTimeout: 'to the control plane (default 1s)',
  proxyAdminPort: 'admin pages (default 15000)',
  statusPort: 'readiness, merged metrics, the app’s probes (default 15020)',
  concurrency: 'Envoy’s worker threads',
  controlPlaneAuthPolicy:
    'NONE is plaintext, without a certificate that others believe; MUTUAL_TLS is TLS with the workload’s token (default)',
  statsdUdpAddress: 'statistics by UDP',
  zipkinAddress: 'traces to Zipkin',
}

const flags: Record<string, Flag> = {
  ...Object.fromEntries(
    Object.entries(PROXY_FLAGS).map(([name, help]) => [name, { type: 'string' as const, value: 'VALUE', help }]),
  ),
  'binary-path': { type: 'string', value: 'ENVOY', help: 'as --binaryPath' },
  'stock-envoy': { type: 'boolean', help: 'the binary is a stock Envoy, without Istio’s own filters' },
  domain: { type: 'string', value: 'NAME', help: 'DNS domain of the namespace (default <namespace>.svc.cluster.local)' },
  proxyLogLevel: { type: 'string', value: 'LEVEL', help: 'the proxy’s log (default warning)' },
  proxyComponentLogLevel: { type: 'string', value: 'LEVELS', help: 'Envoy’s components: misc:error' },
  log_output_level: { type: 'string', value: 'LEVELS', help: 'the agent’s log: default:info' },
  log_as_json: { type: 'boolean', help: 'the agent’s log is JSON anyhow' },
  caAddress: { type: 'string', value: 'ADDR', help: 'the CA (default: the control plane; CA_ADDR)' },
  rootCert: { type: 'string', value: 'FILE', help: 'who signs the control plane’s certificate (default Istio’s place)' },
  token: { type: 'string', value: 'FILE', help: 'the workload’s token (default Istio’s place)' },
  discoveryName: {
    type: 'string',
    value: 'NAME',
    help: 'the name in the control plane’s certificate, if its address is another',
  },
  stsPort: { type: 'string', value: 'PORT', help: 'of token exchange, which there is none of here: 0' },
  outlierLogPath: { type: 'string', value: 'FILE', help: 'Envoy’s log of ejected endpoints' },
  timeoutSeconds: { type: 'string', value: 'S', help: 'of wait (default 60)' },
  url: { type: 'string', value: 'URL', help: 'what wait asks (default http://localhost:15021/healthz/ready)' },
  healthPort: { type: 'string', value: 'PORT', help: 'readiness alone (default 15021)' },
  prometheusPort: { type: 'string', value: 'PORT', help: 'Envoy’s page for Prometheus (default 15090)' },
}

const PLACES = {
  root: '/var/run/secrets/istio/root-cert.pem',
  token: '/var/run/secrets/tokens/istio-token',
  labels: '/etc/istio/pod/labels',
}

/** `pilot-agent proxy`. */
export const agent: Command = {
  name: 'agent',
  summary: 'run a proxy beside an app: bootstrap, certificate, supervision, readiness, metrics',
  positionals: 'sidecar|router|waypoint|wait',
  flags,
  async run(args, io) {
    if (args.positionals[0] === 'wait') return waitForProxy(args, io)
    const options = optionsOf(args, io)
    const running = createAgent(options)
    try {
      await running.start()
    } catch (error) {
      await running.close()
      throw new InputError(error instanceof Error ? error.message : String(error))
    }
    io.out(`${JSON.stringify({ ...running.ports, pid: running.proxy.current })}\n`)
    await untilEnd(running, io)
    await running.drain()
    return EXIT.ok
  },
}

/** `pilot-agent wait`, the hook that holds the app until its proxy is ready. */
async function waitForProxy(args: Arguments, io: Io): Promise<number> {
  const seconds = Number(args.string('timeoutSeconds') ?? 60)
  if (!(seconds > 0)) throw new UsageError('--timeoutSeconds takes seconds')
  const url = args.string('url') ?? `http://localhost:${portsOf(args).healthPort ?? 15_021}/healthz/ready`
  const end = systemClock.monotonic() + seconds * 1000
  let last = 'no answer'
  while (systemClock.monotonic() < end) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(1_000) })
      if (response.ok) return EXIT.ok
      last = (await response.text()).trim()
    } catch (error) {
      last = error instanceof Error ? error.message : String(error)
    }
    await sleep(100)
  }
  io.err(`heddle agent wait: not ready within ${seconds} s: ${last}\n`)
  return EXIT.findings
}

async function untilEnd({ quit }: Agent, io: Io): Promise<void> {
  await Promise.race([io.stopped(), new Promise<void>((resolve) => quit.subscribe((asked) => asked && resolve()))])
}

function optionsOf(args: Arguments, io: Io): AgentOptions {
  const [type, ...more] = args.positionals.filter((word) => word !== 'proxy')
  if ((type !== 'sidecar' && type !== 'router' && type !== 'waypoint') || more.length > 0)
    throw new UsageError('say which: heddle agent sidecar, heddle agent router or heddle agent waypoint')
  const domain = args.string('domain')
  const given = Object.keys(PROXY_FLAGS).map((name) => [name, args.string(name)])
  const binaryPath = args.string('binaryPath') ?? args.string('binary-path')
  if (Number(args.string('stsPort') ?? 0) !== 0)
    throw new UsageError(
      '--stsPort: no token exchange (STS) server is provided; leave the flag out, or global.sts.servicePort of the injector’s values at 0',
    )
  const outlierLogPath = args.string('outlierLogPath')
  if (outlierLogPath !== undefined && binaryPath === undefined)
    throw new UsageError(
      '--outlierLogPath: our own proxy writes no such log; give an Envoy by --binaryPath, or leave the flag out',
    )
  const labels = readIfThere(PLACES.labels)
  const settings = proxySettings({
    type,
    flags: { ...Object.fromEntries(given.filter(([, value]) => value !== undefined)), ...(binaryPath && { binaryPath }) },
    env: io.env,
    addresses: hostAddresses(),
    ...(domain === undefined ? {} : { domain }),
    ...(labels === undefined ? {} : { labels }),
  })
  for (const diagnostic of settings.diagnostics) io.err(`${formatDiagnostic(diagnostic)}\n`)
  if (!settings.ok) throw new UsageError(settings.diagnostics[0]?.message ?? 'wrong flags')
  const logger = createJsonLogger(io.err, systemClock, args.string('log_output_level')?.includes('debug') ? 'debug' : 'info')
  if (args.string('discoveryRefreshDelay') !== undefined)
    logger.info({}, 'discoveryRefreshDelay is for polling; this control plane pushes, and it has no effect')
  const { app, ports } = { app: appScrape(io.env['ISTIO_PROMETHEUS_ANNOTATIONS']), ports: portsOf(args) }
  return {
    settings: settings.value,
    binary: binaryOf(binaryPath, args),
    logging: {
      level: args.string('proxyLogLevel') ?? 'warning',
      ...(args.string('proxyComponentLogLevel') !== undefined && { componentLevel: args.string('proxyComponentLogLevel')! }),
    },
    access: accessOf(args, io, settings.value.proxyConfig),
    ...(app === undefined ? {} : { app }),
    ...ports,
    ...dnsOf(type, io),
    ...(outlierLogPath === undefined ? {} : { outlierLogPath }),
    probes: appProbes(io.env['ISTIO_KUBE_APP_PROBERS']),
    appAddress: settings.value.proxy.addresses[0] ?? '127.0.0.1',
    logger,
  }
}

/** The DNS proxy, which pods of the mesh ask for by ISTIO_META_DNS_CAPTURE; gateways have none, as in Istio. */
function dnsOf(type: string, { env }: Io): Pick<AgentOptions, 'dns'> {
  if (type !== 'sidecar' || env['ISTIO_META_DNS_CAPTURE'] !== 'true') return {}
  const address = env['DNS_PROXY_ADDR']
  return {
    dns: {
      resolvConf: readIfThere('/etc/resolv.conf') ?? '',
      parallel: env['DNS_FORWARD_PARALLEL'] === 'true',
      ...(address ? { address } : {}),
    },
  }
}

function portsOf(args: Arguments): { healthPort?: number; prometheusPort?: number } {
  const read = (name: string): number | undefined => {
    const text = args.string(name)
    if (text === undefined) return undefined
    if (!/^\d+$/.test(text) || Number(text) > 65_535) throw new UsageError(`--${name} takes a port, not ${text}`)
    return Number(text)
  }
  const [healthPort, prometheusPort] = [read('healthPort'), read('prometheusPort')]
  return { ...(healthPort !== undefined && { healthPort }), ...(prometheusPort !== undefined && { prometheusPort }) }
}

/** Our own proxy is this very program. */
function binaryOf(path: string | undefined, args: Arguments): ProxyBinary {
  if (path !== undefined) return { kind: 'envoy', path, stock: args.boolean('stock-envoy') }
  return {
    kind: 'heddle',
    path: process.execPath,
    args: [...process.execArgv, process.argv[1] ?? fileURLToPath(import.meta.url), 'proxy'],
  }
}

function accessOf(
  args: Arguments,
  io: Io,
  config: { discoveryAddress: string; controlPlaneAuthPolicy: string },
): AgentOptions['access'] {
  const caAddress = args.string('caAddress') ?? io.env['CA_ADDR']
  const serverName = args.string('discoveryName')
  const common = {
    discoveryAddress: config.discoveryAddress,
    ...(caAddress === undefined ? {} : { caAddress }),
    ...(serverName === undefined ? {} : { serverName }),
  }
  if (config.controlPlaneAuthPolicy === 'NONE') return common
  const file = args.string('rootCert') ?? PLACES.root
  const rootCertificate = readIfThere(file)
  if (rootCertificate === undefined)
    throw new InputError(
      `cannot read ${file}: name the control plane’s root by --rootCert, or say --controlPlaneAuthPolicy NONE for plaintext`,
    )
  const token = args.string('token') ?? PLACES.token
  return { ...common, rootCertificate, token: () => Promise.resolve(readIfThere(token)) }
}

function hostAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, address }) => !internal && !/^fe80:/i.test(address))
    .map(({ address }) => address)
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
