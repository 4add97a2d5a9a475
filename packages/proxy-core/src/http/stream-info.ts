import type { FilterMetadata } from '../config/metadata.js'
import type { TlsInfo } from '../net/connection.js'
import type { Endpoint } from '../upstream/endpoint.js'

/** What is known of a request when it is over; the source of access logs, stats and traces. Times are Clock.monotonic milliseconds. */
export interface StreamInfo {
  /** Wall clock, for START_TIME. */
  startTime: number
  start: number
  end?: number
  method: string
  authority: string
  path: string
  /** Before any rewrite; undefined when the path never changed. */
  originalPath?: string
  protocol: string
  requestId?: string
  userAgent?: string
  /** 0 until a response began. */
  status: number
  details: string
  /** Envoy's response flags: `UF`, `NR`, `RBAC` has none but details. */
  flags: Set<string>
  bytesReceived: number
  bytesSent: number
  attempts: number
  routeName?: string
  virtualHost?: string
  virtualCluster?: string
  cluster?: string
  /** filter_metadata of the route and of the cluster that were chosen. */
  routeMetadata?: FilterMetadata
  clusterMetadata?: FilterMetadata
  endpoint?: Endpoint
  /** `ip:port` that a session wants to go to; `strict`: or nowhere. */
  overrideHost?: { readonly address: string; readonly strict: boolean }
  /** Once a connection to it was had. */
  upstreamProtocol?: string
  upstreamTransportFailureReason?: string
  upstreamServiceTimeMs?: number
  /** The client as far as it is trusted, which x-forwarded-for may have told. */
  downstreamRemote: string
  /** The peer of the connection, where it is another. */
  downstreamDirectRemote?: string
  downstreamLocal: string
  upstreamLocal?: string
  sni?: string
  /** Of the client's connection. */
  downstreamTls?: TlsInfo
  /** Of the connection to the endpoint. */
  upstreamTls?: TlsInfo
  /** Of the listener. */
  filterChainName?: string
  /** First URI SAN of the verified peer. */
  peerPrincipal?: string
  localPrincipal?: string
  /** First URI SANs of the upstream's verified certificate and of the one shown to it. */
  upstreamPeerPrincipal?: string
  upstreamLocalPrincipal?: string
  grpcStatus?: string
  /** Dynamic metadata by filter namespace. */
  readonly metadata: Map<string, Record<string, unknown>>
  /** What filters keep for one another, by name: peer metadata, shadow verdicts. */
  readonly filterState: Map<string, unknown>
}
