import type { FilterDeps } from '../../http/filter.js'
import type { StreamInfo } from '../../http/stream-info.js'

/** What a request or connection was for. */
export interface CalledService {
  readonly host?: string | undefined
  readonly name?: string | undefined
  readonly namespace?: string | undefined
}

/** Clusters that stand for no service: traffic outside of all of them goes by their names. */
const NO_SERVICE: ReadonlySet<string> = new Set([
  'BlackHoleCluster',
  'PassthroughCluster',
  'InboundPassthroughCluster',
  'InboundPassthroughClusterIpv4',
  'InboundPassthroughClusterIpv6',
])
/** Istio's routes to them. */
const BY_ROUTE: Readonly<Record<string, string>> = { block_all: 'BlackHoleCluster', allow_any: 'PassthroughCluster' }

/** The first service behind the cluster, by its `istio` metadata; else, with `hostFallback`, what the client asked for. */
export function serviceOf(
  { cluster, routeName, authority }: StreamInfo,
  hostFallback: boolean,
  metadataOf: FilterDeps['clusterMetadata'],
): CalledService {
  const host = hostFallback ? authority : ''
  const noService =
    (routeName !== undefined && BY_ROUTE[routeName]) || (cluster !== undefined && NO_SERVICE.has(cluster) && cluster)
  if (noService) return { host, name: noService }
  const services = cluster === undefined ? undefined : metadataOf?.(cluster)?.['istio']?.['services']
  const first: unknown = Array.isArray(services) ? services[0] : undefined
  if (typeof first !== 'object' || first === null) return { host, name: host }
  const told = first as CalledService
  const of = told.host ?? host
  return { host: of, name: told.name ?? of.split('.', 1)[0], namespace: told.namespace }
}
