import type { Cluster, Cluster_TransportSocketMatch } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { Endpoint } from '../upstream/endpoint.js'
import type { CompileDeps, CompiledCluster } from './compiled.js'
import type { Fields } from './fields.js'
import { type ClientSocket, compileClientSocket } from './transport-socket.js'

/** Which transport socket an endpoint gets: the first of transport_socket_matches that fits its labels, else the cluster's own. */
export function compileClusterSockets(
  fields: Fields<Cluster>,
  deps: CompileDeps,
): Pick<CompiledCluster, 'tlsFor' | 'proxyProtocolFor'> & { readonly everyTls: boolean } {
  const fallback = compileClientSocket(fields.message('transport_socket'), deps)
  const matches = fields.messages('transport_socket_matches').map((each) => compileSocketMatch(each, deps))
  const socketFor = (endpoint: Endpoint): ClientSocket => {
    if (matches.length === 0) return fallback
    const labels = endpoint.metadata['envoy.transport_socket_match'] ?? {}
    return matches.find(({ wanted }) => wanted.every(([key, value]) => labels[key] === value))?.socket ?? fallback
  }
  const sockets = [fallback, ...matches.map(({ socket }) => socket)]
  const proxies = sockets.some(({ proxyProtocol }) => proxyProtocol !== undefined)
  return {
    everyTls: sockets.every(({ tls }) => tls !== undefined),
    tlsFor: (endpoint) => socketFor(endpoint).tls,
    ...(proxies && { proxyProtocolFor: (endpoint: Endpoint) => socketFor(endpoint).proxyProtocol }),
  }
}

interface SocketMatch {
  readonly wanted: readonly (readonly [string, unknown])[]
  readonly socket: ClientSocket
}

function compileSocketMatch(fields: Fields<Cluster_TransportSocketMatch>, deps: CompileDeps): SocketMatch {
  const wanted = Object.entries((fields.raw('match') ?? {}) as Record<string, unknown>)
  const socket = compileClientSocket(fields.message('transport_socket'), deps)
  fields.done({ name: 'names statistics that are not kept' })
  if (wanted.some(([, value]) => typeof value === 'object')) fields.problem('only plain values can be matched.', 'match')
  return { wanted, socket }
}
