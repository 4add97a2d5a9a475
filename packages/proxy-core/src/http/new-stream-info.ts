import type { Clock } from '@heddle/runtime'
import { formatAddress } from '../net/address.js'
import type { Connection } from '../net/connection.js'
import type { RouteDecision } from '../route/decision.js'
import type { HttpRequest } from './message.js'
import type { StreamInfo } from './stream-info.js'

/** The story of a request as it begins. */
export function createStreamInfo(request: HttpRequest, connection: Connection, clock: Clock): StreamInfo {
  const { tls } = connection
  const info: StreamInfo = {
    startTime: clock.now(),
    start: clock.monotonic(),
    method: request.method,
    authority: request.authority,
    path: request.path,
    protocol: request.protocol,
    status: 0,
    details: '',
    flags: new Set(),
    bytesReceived: 0,
    bytesSent: 0,
    attempts: 0,
    downstreamRemote: formatAddress(connection.remote),
    downstreamLocal: formatAddress(connection.originalDestination ?? connection.local),
    metadata: copyMetadata(connection.metadata),
    filterState: new Map(),
  }
  if (connection.directRemote !== undefined) info.downstreamDirectRemote = formatAddress(connection.directRemote)
  const userAgent = request.headers.get('user-agent')
  if (userAgent !== undefined) info.userAgent = userAgent
  if (tls !== undefined) info.downstreamTls = tls
  if (connection.requestedServerName !== undefined) info.sni = connection.requestedServerName
  if (tls?.peerUris[0] !== undefined) info.peerPrincipal = tls.peerUris[0]
  if (tls?.localUris[0] !== undefined) info.localPrincipal = tls.localUris[0]
  return info
}

/** Of the connection's listener filters; filters of a stream add to their own. */
export function copyMetadata(metadata: Connection['metadata']): StreamInfo['metadata'] {
  const copy: StreamInfo['metadata'] = new Map()
  for (const [namespace, values] of metadata ?? []) copy.set(namespace, { ...values })
  return copy
}

/** What the route that was chosen says of a request. */
export function noteRoute(info: StreamInfo, decision: RouteDecision, request: HttpRequest): void {
  if (decision.virtualHost !== undefined) info.virtualHost = decision.virtualHost.name
  const virtualCluster = decision.virtualHost?.virtualClusterOf?.(request)
  if (virtualCluster !== undefined) info.virtualCluster = virtualCluster
  if (decision.kind === 'none') return
  if (decision.route !== undefined) {
    if (decision.route.name !== '') info.routeName = decision.route.name
    if (decision.route.metadata !== undefined) info.routeMetadata = decision.route.metadata
  }
  if (decision.kind === 'forward') info.cluster = decision.target.cluster
}
