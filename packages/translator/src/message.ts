import { writtenOnce } from '@heddle/xds-types'
import type { ConfigSource } from '@heddle/xds-types/envoy/config/core/v3'

/** A message of a google.protobuf.Any field: `{ '@type': 'type.googleapis.com/…', …fields }`. */
export interface TypedMessage {
  readonly '@type': string
  readonly [field: string]: unknown
}

const PREFIX = 'type.googleapis.com/'

export const LISTENER_TYPE: string = `${PREFIX}envoy.config.listener.v3.Listener`
export const ROUTE_TYPE: string = `${PREFIX}envoy.config.route.v3.RouteConfiguration`
export const CLUSTER_TYPE: string = `${PREFIX}envoy.config.cluster.v3.Cluster`
export const ENDPOINT_TYPE: string = `${PREFIX}envoy.config.endpoint.v3.ClusterLoadAssignment`
export const EXTENSION_CONFIG_TYPE: string = `${PREFIX}envoy.config.core.v3.TypedExtensionConfig`
export const NAME_TABLE_TYPE: string = `${PREFIX}istio.networking.nds.v1.NameTable`
export const SECRET_TYPE: string = `${PREFIX}envoy.extensions.transport_sockets.tls.v3.Secret`

/** Packs `fields` as a message of `type`, a full proto name. */
export function typed(type: string, fields: object = {}): TypedMessage {
  return { '@type': urlOf(type), ...defined(fields) }
}

// A text that is put together anew is hashed anew by whoever looks it up.
const urls = new Map<string, string>()

function urlOf(type: string): string {
  let url = urls.get(type)
  if (url === undefined) urls.set(type, (url = `${PREFIX}${type}`))
  return url
}

/** The object without its undefined fields: absent is the only way in which proto JSON says "not set". */
export function defined<T extends object>(fields: T): T {
  for (const key in fields) if (fields[key] === undefined) return withoutUndefined(fields)
  return fields
}

function withoutUndefined<T extends object>(fields: T): T {
  const set = {} as T
  for (const key in fields) if (fields[key] !== undefined) set[key] = fields[key]
  return set
}

/** Milliseconds as proto JSON writes a duration: 1500 -> `1.5s`. */
export function duration(ms: number): string {
  return `${ms / 1000}s`
}

export const NO_TIMEOUT = '0s'

/** Configuration that comes over the same aggregated stream. */
export const ADS_SOURCE: ConfigSource = writtenOnce({
  ads: {},
  initial_fetch_timeout: NO_TIMEOUT,
  resource_api_version: 'V3',
})

/** Where a proxy finds the secrets that its agent holds: the cluster `sds-grpc` of its bootstrap. */
export const AGENT_SDS_SOURCE: ConfigSource = writtenOnce({
  api_config_source: {
    api_type: 'GRPC',
    grpc_services: [{ envoy_grpc: { cluster_name: 'sds-grpc' } }],
    set_node_on_first_message_only: true,
    transport_api_version: 'V3',
  },
  initial_fetch_timeout: NO_TIMEOUT,
  resource_api_version: 'V3',
})

/** The same without a limit on the wait being switched off: what istiod writes for certificates of files and credentials. */
export const ADS_SECRET_SOURCE: ConfigSource = writtenOnce({ ads: {}, resource_api_version: 'V3' })
export const AGENT_FILE_SOURCE: ConfigSource = writtenOnce(withoutTimeout(AGENT_SDS_SOURCE))

function withoutTimeout({ initial_fetch_timeout: _, ...source }: ConfigSource): ConfigSource {
  return source
}

/** `header_key_format` of HTTP/1 options: names as they came, instead of lower case. */
export const PRESERVE_CASE: { readonly stateful_formatter: { readonly name: string; readonly typed_config: TypedMessage } } = {
  stateful_formatter: {
    name: 'preserve_case',
    typed_config: { '@type': `${PREFIX}envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig` },
  },
}

/** The Istio object behind a resource, as istiod writes it into `metadata.filter_metadata.istio.config`. */
export function configPath(resource: {
  readonly kind: string
  readonly metadata: { readonly namespace: string; readonly name: string }
}): string {
  const { kind, metadata } = resource
  let word = dashed.get(kind)
  if (word === undefined) dashed.set(kind, (word = kind.replace(/([a-z])([A-Z])/g, '$1-$2').toLowerCase()))
  return `/apis/networking.istio.io/v1/namespaces/${metadata.namespace}/${word}/${metadata.name}`
}

const dashed = new Map<string, string>()

export function configMetadata(resource: Parameters<typeof configPath>[0]): { filter_metadata: { istio: { config: string } } } {
  return { filter_metadata: { istio: { config: configPath(resource) } } }
}
