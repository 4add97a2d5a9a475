import { type Diagnostic, fail, ok, problem, type Result } from '@heddle/runtime'
import type { Node } from '@heddle/xds-types/envoy/config/core/v3'

export type ProxyType = 'sidecar' | 'router' | 'waypoint'
export type InterceptionMode = 'REDIRECT' | 'TPROXY' | 'NONE'
export interface Locality {
  readonly region: string
  readonly zone: string
  readonly subzone: string
}

/** What translation knows of a proxy: all of it comes from the node that the proxy sends. */
export interface ProxyDescriptor {
  /** The instance: `apps-v1-0` or, from a node, `apps-v1-0.nolen`. */
  readonly id: string
  readonly type: ProxyType
  readonly namespace: string
  /** DNS suffix for short names: `nolen.svc.cluster.local`. */
  readonly dnsDomain: string
  readonly addresses: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  readonly serviceAccount: string
  readonly cluster: string
  /** What the proxy is called where it reports: the `cluster` of its node, not the cluster that it runs in. */
  readonly serviceCluster: string
  readonly network: string
  readonly locality: Locality
  readonly version: string
  readonly interceptionMode: InterceptionMode
  /** Node metadata HTTP_PROXY_PORT; undefined: MeshConfig.proxyHttpPort decides. */
  readonly httpProxyPort: number | undefined
  /** Node metadata UNPRIVILEGED_POD: it cannot bind ports below 1024. */
  readonly unprivileged: boolean
  /** Node metadata HEDDLE_STOCK_ENVOY: an Envoy without Istio's own filters. */
  readonly stockEnvoy: boolean
  readonly metadata: Readonly<Record<string, unknown>>
  /** Names of listeners that a proxyless gRPC application asks for; undefined: whatever it may ask for. */
  readonly resources?: readonly string[]
}

/** The node of an Envoy bootstrap or a DiscoveryRequest, as proto JSON. */
export type NodeMessage = Pick<Node, 'id' | 'cluster' | 'metadata' | 'locality'>

const TYPES: readonly string[] = ['sidecar', 'router', 'waypoint']
const MODES: readonly string[] = ['REDIRECT', 'TPROXY', 'NONE']
/** The cluster of what names none. */
export const DEFAULT_CLUSTER = 'Kubernetes'

/**
 * Reads the node that a proxy sends: `id` is `sidecar~10.0.0.1~app.ns~ns.svc.cluster.local` (Istio's node id), the rest is in `metadata`:
 * LABELS, NAMESPACE, SERVICE_ACCOUNT, CLUSTER_ID, NETWORK, ISTIO_VERSION, INTERCEPTION_MODE, HTTP_PROXY_PORT, UNPRIVILEGED_POD, INSTANCE_IPS.
 * Codes: `proxy.node_id`, `proxy.metadata`.
 */
export function proxyFromNode(node: NodeMessage): Result<ProxyDescriptor> {
  const parts = (node.id ?? '').split('~')
  const [type = '', ip = '', name = '', domain = ''] = parts
  if (parts.length !== 4)
    return fail(
      problem('proxy.node_id', 'id', `The node id ${JSON.stringify(node.id ?? '')} is not type~ip~name.namespace~domain.`),
    )
  const metadata = node.metadata ?? {}
  const namespace = text(metadata['NAMESPACE']) || domain.split('.')[0] || 'default'
  const addresses = text(metadata['INSTANCE_IPS'])
    .split(',')
    .filter((a) => a !== '')
  return describe({
    id: name,
    type,
    namespace,
    dnsDomain: domain,
    addresses: addresses.length > 0 ? addresses : ip === '' ? [] : [ip],
    labels: stringMap(metadata['LABELS']),
    serviceAccount: text(metadata['SERVICE_ACCOUNT']),
    cluster: text(metadata['CLUSTER_ID']) || DEFAULT_CLUSTER,
    serviceCluster: node.cluster ?? '',
    network: text(metadata['NETWORK']),
    locality: { region: node.locality?.region ?? '', zone: node.locality?.zone ?? '', subzone: node.locality?.sub_zone ?? '' },
    version: text(metadata['ISTIO_VERSION']),
    metadata,
  })
}

/**
 * Reads a proxy as `heddle translate --proxy` takes it: `{id, type, namespace, ip, labels, serviceAccount, cluster, serviceCluster, network, locality, version,
 * annotations, metadata, resources}`. Only `id` is required; `type` is sidecar, `namespace` default, `cluster` Kubernetes by default.
 * Codes: `proxy.json`, `proxy.node_id`, `proxy.metadata`; as a warning `proxy.unknown_field`.
 */
export function proxyFromJson(json: unknown): Result<ProxyDescriptor> {
  if (!isRecord(json))
    return fail(
      problem(
        'proxy.json',
        '',
        'A proxy is an object like {"id": "app-0", "type": "sidecar", "namespace": "default", "ip": "10.0.0.1"}.',
      ),
    )
  const id = text(json['id'])
  if (id === '') return fail(problem('proxy.json', 'id', 'A proxy needs an id.'))
  const mistaken = ['labels', 'annotations', 'metadata'].find((field) => json[field] !== undefined && !isRecord(json[field]))
  if (mistaken !== undefined) return fail(problem('proxy.json', mistaken, `${mistaken} is an object of names and values.`))
  const metadata = isRecord(json['metadata']) ? json['metadata'] : {}
  const namespace = text(json['namespace']) || 'default'
  const ip = json['ip'] ?? json['ips']
  const described = describe({
    id,
    type: text(json['type']) || 'sidecar',
    namespace,
    dnsDomain: `${namespace}.svc.cluster.local`,
    addresses: Array.isArray(ip)
      ? ip.map(text)
      : text(ip)
          .split(',')
          .filter((a) => a !== ''),
    labels: stringMap(json['labels']),
    serviceAccount: text(json['serviceAccount']) || 'default',
    cluster: text(json['cluster']) || text(metadata['CLUSTER_ID']) || DEFAULT_CLUSTER,
    serviceCluster: text(json['serviceCluster']) || `${id}.${namespace}`,
    network: text(json['network']) || text(metadata['NETWORK']),
    locality: parseLocality(text(json['locality'])),
    version: text(json['version']) || '1.32.0',
    metadata: { ...(isRecord(json['annotations']) ? { ANNOTATIONS: json['annotations'] } : {}), ...metadata },
    ...(Array.isArray(json['resources']) ? { resources: json['resources'].map(text) } : {}),
  })
  return described.ok ? ok(described.value, unknownFields(json)) : described
}

const FIELDS: readonly string[] = [
  ...['id', 'type', 'namespace', 'ip', 'ips', 'labels', 'serviceAccount', 'cluster', 'serviceCluster', 'network', 'locality'],
  ...['version', 'annotations', 'metadata', 'resources'],
]

function unknownFields(json: Readonly<Record<string, unknown>>): Diagnostic[] {
  return Object.keys(json)
    .filter((field) => !FIELDS.includes(field))
    .map((field) => ({
      code: 'proxy.unknown_field',
      severity: 'warning',
      path: field,
      message: `A proxy has no field ${field}: it has no effect. There are ${FIELDS.join(', ')}.`,
    }))
}

/** `region/zone/subzone`, parts may be missing. */
export function parseLocality(locality: string): Locality {
  const [region = '', zone = '', subzone = ''] = locality.split('/')
  return { region, zone, subzone }
}

type Described = Omit<ProxyDescriptor, 'type' | 'interceptionMode' | 'httpProxyPort' | 'unprivileged' | 'stockEnvoy'> & {
  readonly type: string
}

function describe(given: Described): Result<ProxyDescriptor> {
  const { metadata } = given
  if (!TYPES.includes(given.type))
    return fail(
      problem('proxy.node_id', 'type', `The proxy type ${JSON.stringify(given.type)} is not one of ${TYPES.join(', ')}.`),
    )
  const mode = text(metadata['INTERCEPTION_MODE']) || 'REDIRECT'
  if (!MODES.includes(mode))
    return fail(
      problem('proxy.metadata', 'metadata.INTERCEPTION_MODE', `${JSON.stringify(mode)} is not one of ${MODES.join(', ')}.`),
    )
  const port = Number(text(metadata['HTTP_PROXY_PORT']))
  return ok({
    ...given,
    type: given.type as ProxyType,
    interceptionMode: mode as InterceptionMode,
    httpProxyPort: Number.isInteger(port) && port > 0 && port < 65536 ? port : undefined,
    unprivileged: isTrue(metadata['UNPRIVILEGED_POD']),
    stockEnvoy: isTrue(metadata['HEDDLE_STOCK_ENVOY']),
  })
}

function isTrue(value: unknown): boolean {
  return ['true', '1'].includes(text(value).toLowerCase())
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function stringMap(value: unknown): Record<string, string> {
  return isRecord(value) ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, text(v)])) : {}
}

/** Of an Istio of at least that version. One that tells no version, or none of that form, is of the newest. */
export function versionAtLeast({ version }: Pick<ProxyDescriptor, 'version'>, major: number, minor: number): boolean {
  const [, ownMajor, ownMinor] = /^(?:release-)?(\d+)\.(\d+)/.exec(version) ?? []
  if (ownMajor === undefined || ownMinor === undefined) return true
  return Number(ownMajor) > major || (Number(ownMajor) === major && Number(ownMinor) >= minor)
}
