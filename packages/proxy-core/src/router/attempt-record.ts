import type { ClientSession } from '../http/codec.js'
import type { HeaderMap } from '../http/header-map.js'
import { httpStatusOf, isGrpc } from '../http/local-reply.js'
import type { HttpResponse } from '../http/message.js'
import type { StreamInfo } from '../http/stream-info.js'
import { formatAddress } from '../net/address.js'
import type { Connection } from '../net/connection.js'
import type { FindRequestStats, RequestStats } from '../observe/virtual-host-stats.js'
import type { RouteDecision } from '../route/decision.js'
import type { RequestHead } from '../route/table.js'
import type { UpstreamCluster } from '../upstream/cluster.js'
import type { Endpoint } from '../upstream/endpoint.js'
import type { AttemptFailure } from '../upstream/pool.js'
import { isOverflow } from './failure.js'

/** Another attempt begins, at this endpoint: the one before is one of those attempted, if it was connected to. */
export function recordAttempt(info: StreamInfo, endpoint: Endpoint, now: number): void {
  const { endpoint: before, connected } = info
  if (before !== undefined && connected === true && info.attempted?.includes(before) !== true)
    (info.attempted ??= []).push(before)
  info.connected = false
  info.attemptStart = now
  info.endpoint = endpoint
}

/** What an answer to `request` tells of its endpoint: to its counters, to outlier detection, to its health. */
export function recordResponse(
  cluster: UpstreamCluster,
  endpoint: Endpoint,
  request: HeaderMap,
  { status, headers }: HttpResponse,
): void {
  const host = cluster.host(endpoint)
  if (status >= 500) host.errors++
  else host.successes++
  cluster.outlierFor(endpoint)?.onResponse(endpoint, outlierStatus(request, status, headers))
  if (headers.has('x-envoy-immediate-health-check-fail')) cluster.failNow(endpoint)
}

/** Calls are judged by the grpc-status that came in place of an answer; one in trailers comes too late, as in Envoy. */
export function outlierStatus(request: HeaderMap, status: number, headers: HeaderMap): number {
  const grpcStatus = headers.get('grpc-status')
  return grpcStatus === undefined || !isGrpc(request) ? status : httpStatusOf(grpcStatus)
}

/** The same of an attempt without an answer. */
export function recordFailure(cluster: UpstreamCluster, endpoint: Endpoint, reason: AttemptFailure): void {
  if (isOverflow(reason)) return
  cluster.host(endpoint).errors++
  if (reason === 'connect_failure' || reason === 'connect_timeout') cluster.stats.upstreamRqPendingFailureEject.inc()
  const outlier = cluster.outlierFor(endpoint)
  if (reason === 'connect_failure') outlier?.onLocalFailure(endpoint, 'connect')
  else if (reason === 'connect_timeout') outlier?.onLocalFailure(endpoint, 'timeout')
  else {
    cluster.stats.upstreamRqRxReset.inc()
    outlier?.onLocalFailure(endpoint, 'reset')
  }
}

/** And of one that took too long; `answered`: it had begun, and is no failure of the endpoint. */
export function recordTimeout(cluster: UpstreamCluster, endpoint: Endpoint, answered: boolean): void {
  cluster.host(endpoint).timeouts++
  if (!answered) cluster.outlierFor(endpoint)?.onLocalFailure(endpoint, 'timeout')
}

/** Envoy's name for requests that no virtual cluster takes. */
const OTHER = 'other'
const NOWHERE: readonly RequestStats[] = []

/** Where a request is counted beside its cluster: its virtual cluster, its route. */
export function requestStatsOf(
  { virtualHost, route }: Extract<RouteDecision, { kind: 'forward' }>,
  head: RequestHead,
  find: FindRequestStats | undefined,
): readonly RequestStats[] {
  const { virtualClusterOf } = virtualHost
  if (find === undefined || (virtualClusterOf === undefined && route.statPrefix === undefined)) return NOWHERE
  return [
    ...(virtualClusterOf === undefined ? [] : [find(virtualHost.name, 'vcluster', virtualClusterOf(head) ?? OTHER)]),
    ...(route.statPrefix === undefined ? [] : [find(virtualHost.name, 'route', route.statPrefix)]),
  ]
}

/** The connection of a request's attempt. */
export function recordConnection(
  info: StreamInfo,
  connection: Connection,
  protocol: ClientSession['protocol'],
  now: number,
): void {
  if (info.upstreamConnection !== undefined) (info.earlierConnections ??= []).push(info.upstreamConnection)
  info.upstreamStart = now
  info.upstreamProtocol = protocol
  recordUpstream(info, connection)
}

/** What a connection to an endpoint tells logs and traces. */
export function recordUpstream(info: StreamInfo, connection: Connection): void {
  const { tls } = connection
  info.connected = true
  info.upstreamConnection = connection
  info.upstreamLocal = formatAddress(connection.local)
  if (tls === undefined) return
  info.upstreamTls = tls
  const [peer, own] = [tls.peerUris[0], tls.localUris[0]]
  if (peer !== undefined) info.upstreamPeerPrincipal = peer
  if (own !== undefined) info.upstreamLocalPrincipal = own
}
