import type { Config } from '@heddle/xds-types/io/istio/http/peer_metadata'
import { compileMessage, type Fields } from '../../config/fields.js'
import type { FilterDeps, HttpFilter, HttpFilterFactory, HttpStream } from '../../http/filter.js'
import type { HeaderMap } from '../../http/header-map.js'
import { DOWNSTREAM_PEER, decodePeer, encodePeer, UPSTREAM_PEER } from '../../observe/peer/workload.js'

interface PeerMetadataConfig {
  /** Read what the client's sidecar says; answer in kind. */
  readonly fromDownstream: boolean
  readonly toDownstream: boolean
  readonly fromUpstream: boolean
  readonly toUpstream: boolean
  /** Tell nothing to services outside the mesh. */
  readonly skipExternal: boolean
  /** Labels that are told besides those of metrics. */
  readonly additionalLabels: readonly string[]
}

const ID = 'x-envoy-peer-metadata-id'
const METADATA = 'x-envoy-peer-metadata'

/** istio.metadata_exchange: two sidecars tell each other in headers which workloads they stand for; the apps never see them. */
export const peerMetadataFilter: HttpFilterFactory<PeerMetadataConfig> = {
  typeNames: ['io.istio.http.peer_metadata.Config'],
  decode: (config, path) =>
    compileMessage(config as Config, path, (fields) => {
      const compiled = {
        fromDownstream: usesHeaders(fields, 'downstream_discovery'),
        toDownstream: usesHeaders(fields, 'downstream_propagation'),
        fromUpstream: usesHeaders(fields, 'upstream_discovery'),
        toUpstream: usesHeaders(fields, 'upstream_propagation'),
        skipExternal: skipsExternal(fields),
        additionalLabels: fields.strings('additional_labels'),
      }
      fields.done({ shared_with_upstream: 'there is no inner proxy' })
      return compiled
    }),
  create(config, deps) {
    const own = { id: deps.node.id, value: encodePeer(deps.node.metadata, config.additionalLabels) }
    return (stream) => createFilter(config, own, stream, deps)
  },
}

type MethodList = 'downstream_discovery' | 'downstream_propagation' | 'upstream_discovery' | 'upstream_propagation'

function usesHeaders(fields: Fields<Config>, list: MethodList): boolean {
  const methods = fields.raw(list)
  return (
    Array.isArray(methods) && methods.some((method) => typeof method === 'object' && method !== null && 'istio_headers' in method)
  )
}

function skipsExternal(fields: Fields<Config>): boolean {
  const methods = fields.raw('upstream_propagation')
  return Array.isArray(methods) && methods.some((method) => method?.istio_headers?.skip_external_clusters === true)
}

function createFilter(
  config: PeerMetadataConfig,
  own: { id: string; value: string },
  stream: HttpStream,
  deps: FilterDeps,
): HttpFilter {
  let knewUs = false
  return {
    onRequest({ headers }) {
      if (config.fromDownstream) {
        knewUs = headers.has(METADATA) || headers.has(ID)
        learn(headers, stream, DOWNSTREAM_PEER)
      }
      if (config.toUpstream && !(config.skipExternal && isExternal(stream, deps))) tell(headers, own)
    },
    onResponse({ headers }) {
      if (config.fromUpstream) learn(headers, stream, UPSTREAM_PEER)
      // Only to a client that spoke first: to any other the header would leak what we are.
      if (config.toDownstream && knewUs) tell(headers, own)
    },
  }
}

function learn(headers: HeaderMap, { info }: HttpStream, state: string): void {
  const value = headers.get(METADATA)
  const peer = value === undefined ? undefined : decodePeer(value)
  if (peer !== undefined) info.filterState.set(state, peer)
  headers.delete(METADATA)
  headers.delete(ID)
}

function tell(headers: HeaderMap, { id, value }: { id: string; value: string }): void {
  headers.set(ID, id)
  headers.set(METADATA, value)
}

function isExternal({ route }: HttpStream, { clusterMetadata }: FilterDeps): boolean {
  if (route?.kind !== 'forward') return false
  const cluster = route.target.cluster
  return cluster === 'PassthroughCluster' || clusterMetadata?.(cluster)?.['istio']?.['external'] === true
}
