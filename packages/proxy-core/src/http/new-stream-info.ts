import type { Clock } from '@heddle/runtime'
import { formatAddress } from '../net/address.js'
import type { Connection } from '../net/connection.js'
import { createResponseFlags } from '../observe/response-flags.js'
import type { RouteDecision } from '../route/decision.js'
import type { HttpRequest } from './message.js'
import type { StreamInfo } from './stream-info.js'

/** What the stories of all requests of one connection begin with. */
export type StreamOrigin = Pick<
  StreamInfo,
  | 'downstreamRemote'
  | 'downstreamDirectRemote'
  | 'downstreamLocal'
  | 'downstreamTls'
  | 'sni'
  | 'peerPrincipal'
  | 'localPrincipal'
  | 'servedAt'
  | 'downstreamTimes'
  | 'tlsFingerprints'
>

export function streamOrigin(connection: Connection): StreamOrigin {
  const { remote, directRemote, local, originalDestination, tls, requestedServerName, servedAt, times, tlsFingerprints } =
    connection
  return {
    downstreamRemote: formatAddress(remote),
    downstreamDirectRemote: directRemote && formatAddress(directRemote),
    downstreamLocal: formatAddress(originalDestination ?? local),
    downstreamTls: tls,
    sni: requestedServerName,
    peerPrincipal: tls?.peerUris[0],
    localPrincipal: tls?.localUris[0],
    servedAt,
    downstreamTimes: times,
    tlsFingerprints,
  }
}

const NOWHERE: StreamOrigin = {
  downstreamRemote: '',
  downstreamDirectRemote: undefined,
  downstreamLocal: '',
  downstreamTls: undefined,
  sni: undefined,
  peerPrincipal: undefined,
  localPrincipal: undefined,
  servedAt: undefined,
  downstreamTimes: undefined,
  tlsFingerprints: undefined,
}

/** The story of nothing. */
export function emptyStreamInfo(): StreamInfo {
  return new Story(NOWHERE, undefined, 0, 0)
}

/** The story of a connection's bytes as it begins, which is when it was accepted. */
export function createConnectionInfo(connection: Connection, origin: StreamOrigin, clock: Clock): StreamInfo {
  const now = clock.monotonic()
  const began = connection.times?.began ?? now
  return new Story(origin, connection.metadata, clock.now() - (now - began), began)
}

/** The story of a request as it begins. Dynamic metadata is the request's, too, once there is any. */
export function createStreamInfo(
  request: HttpRequest,
  connection: Connection,
  origin: StreamOrigin,
  clock: Pick<Clock, 'now' | 'monotonic'>,
): StreamInfo {
  const info = new Story(origin, connection.metadata, clock.now(), clock.monotonic())
  info.tell(request)
  return info
}

// A class, and every field set at once: all stories have one shape, and what reads them stays fast.
class Story implements StreamInfo {
  startTime: number
  start: number
  end: StreamInfo['end'] = undefined
  method = ''
  authority = ''
  path = ''
  originalPath: StreamInfo['originalPath'] = undefined
  protocol = ''
  requestId: StreamInfo['requestId'] = undefined
  userAgent: StreamInfo['userAgent'] = undefined
  status = 0
  details = ''
  readonly flags: StreamInfo['flags'] = createResponseFlags()
  bytesReceived = 0
  bytesSent = 0
  attempts = 0
  routeName: StreamInfo['routeName'] = undefined
  virtualHost: StreamInfo['virtualHost'] = undefined
  virtualCluster: StreamInfo['virtualCluster'] = undefined
  cluster: StreamInfo['cluster'] = undefined
  virtualHostMetadata: StreamInfo['virtualHostMetadata'] = undefined
  routeMetadata: StreamInfo['routeMetadata'] = undefined
  clusterMetadata: StreamInfo['clusterMetadata'] = undefined
  endpoint: StreamInfo['endpoint'] = undefined
  overrideHost: StreamInfo['overrideHost'] = undefined
  alpnOverrides: StreamInfo['alpnOverrides'] = undefined
  upstreamProtocol: StreamInfo['upstreamProtocol'] = undefined
  upstreamTransportFailureReason: StreamInfo['upstreamTransportFailureReason'] = undefined
  upstreamServiceTimeMs: StreamInfo['upstreamServiceTimeMs'] = undefined
  requestEnd: StreamInfo['requestEnd'] = undefined
  attemptStart: StreamInfo['attemptStart'] = undefined
  upstreamStart: StreamInfo['upstreamStart'] = undefined
  upstreamFirstByte: StreamInfo['upstreamFirstByte'] = undefined
  upstreamEnd: StreamInfo['upstreamEnd'] = undefined
  connected: StreamInfo['connected'] = undefined
  attempted: StreamInfo['attempted'] = undefined
  clusterStatName: StreamInfo['clusterStatName'] = undefined
  upstreamConnection: StreamInfo['upstreamConnection'] = undefined
  earlierConnections: StreamInfo['earlierConnections'] = undefined
  downstreamTransportFailureReason: StreamInfo['downstreamTransportFailureReason'] = undefined
  downstreamRemote: string
  downstreamDirectRemote: StreamInfo['downstreamDirectRemote']
  downstreamLocal: string
  upstreamLocal: StreamInfo['upstreamLocal'] = undefined
  sni: StreamInfo['sni']
  downstreamTls: StreamInfo['downstreamTls']
  upstreamTls: StreamInfo['upstreamTls'] = undefined
  servedAt: StreamInfo['servedAt']
  downstreamTimes: StreamInfo['downstreamTimes']
  tlsFingerprints: StreamInfo['tlsFingerprints']
  peerPrincipal: StreamInfo['peerPrincipal']
  localPrincipal: StreamInfo['localPrincipal']
  upstreamPeerPrincipal: StreamInfo['upstreamPeerPrincipal'] = undefined
  upstreamLocalPrincipal: StreamInfo['upstreamLocalPrincipal'] = undefined
  grpcStatus: StreamInfo['grpcStatus'] = undefined
  #request: HttpRequest | undefined = undefined
  #metadata: StreamInfo['metadata'] | undefined = undefined
  #filterState: StreamInfo['filterState'] | undefined = undefined

  constructor(origin: StreamOrigin, metadata: Connection['metadata'], startTime: number, start: number) {
    this.startTime = startTime
    this.start = start
    this.downstreamRemote = origin.downstreamRemote
    this.downstreamDirectRemote = origin.downstreamDirectRemote
    this.downstreamLocal = origin.downstreamLocal
    this.downstreamTls = origin.downstreamTls
    this.sni = origin.sni
    this.peerPrincipal = origin.peerPrincipal
    this.localPrincipal = origin.localPrincipal
    this.servedAt = origin.servedAt
    this.downstreamTimes = origin.downstreamTimes
    this.tlsFingerprints = origin.tlsFingerprints
    if (metadata !== undefined) this.#metadata = copyMetadata(metadata)
  }

  tell(request: HttpRequest): void {
    this.#request = request
    this.method = request.method
    this.authority = request.authority
    this.path = request.path
    this.protocol = request.protocol
    this.userAgent = request.headers.get('user-agent')
    request.metadata = this.#metadata
  }

  get metadata(): StreamInfo['metadata'] {
    if (this.#metadata === undefined) {
      this.#metadata = new Map()
      if (this.#request !== undefined) this.#request.metadata = this.#metadata
    }
    return this.#metadata
  }

  get filterState(): StreamInfo['filterState'] {
    this.#filterState ??= new Map()
    return this.#filterState
  }
}

/** Of the connection's listener filters; filters of a stream add to their own. */
function copyMetadata(metadata: NonNullable<Connection['metadata']>): StreamInfo['metadata'] {
  const copy: StreamInfo['metadata'] = new Map()
  for (const [namespace, values] of metadata) copy.set(namespace, { ...values })
  return copy
}

/** What the route that was chosen says of a request. */
export function noteRoute(info: StreamInfo, decision: RouteDecision, request: HttpRequest): void {
  const { virtualHost } = decision
  if (virtualHost !== undefined) {
    info.virtualHost = virtualHost.name
    info.virtualHostMetadata = virtualHost.metadata
    const virtualCluster = virtualHost.virtualClusterOf?.(request)
    if (virtualCluster !== undefined) info.virtualCluster = virtualCluster
  }
  if (decision.kind === 'none') return
  if (decision.route !== undefined) {
    if (decision.route.name !== '') info.routeName = decision.route.name
    if (decision.route.metadata !== undefined) info.routeMetadata = decision.route.metadata
  }
  if (decision.kind === 'forward') info.cluster = decision.target.cluster
}
