import type { FilterMetadata } from '../config/metadata.js'
import type { Connection, ConnectionTimes, ServedAt, TlsFingerprints, TlsInfo } from '../net/connection.js'
import type { ResponseFlags } from '../observe/response-flags.js'
import type { Endpoint } from '../upstream/endpoint.js'

/** What is known of a request when it is over; the source of access logs, stats and traces. Times are Clock.monotonic milliseconds. */
export interface StreamInfo {
  /** Wall clock, for START_TIME. */
  startTime: number
  start: number
  end?: number | undefined
  method: string
  authority: string
  path: string
  /** Before any rewrite; undefined when the path never changed. */
  originalPath?: string | undefined
  protocol: string
  requestId?: string | undefined
  userAgent?: string | undefined
  /** 0 until a response began. */
  status: number
  details: string
  /** Envoy's response flags: `UF`, `NR`, `RBAC` has none but details. */
  readonly flags: ResponseFlags
  bytesReceived: number
  bytesSent: number
  attempts: number
  routeName?: string | undefined
  virtualHost?: string | undefined
  virtualCluster?: string | undefined
  cluster?: string | undefined
  /** filter_metadata of the virtual host, the route and the cluster that were chosen. */
  virtualHostMetadata?: FilterMetadata | undefined
  routeMetadata?: FilterMetadata | undefined
  clusterMetadata?: FilterMetadata | undefined
  endpoint?: Endpoint | undefined
  /** `ip:port` that a session wants to go to; `strict`: or nowhere. */
  overrideHost?: { readonly address: string; readonly strict: boolean } | undefined
  /** What istio.alpn has upstreams offered, by the version that they are spoken to in. */
  alpnOverrides?: ReadonlyMap<string, readonly string[]> | undefined
  /** Once a connection to it was had. */
  upstreamProtocol?: string | undefined
  upstreamTransportFailureReason?: string | undefined
  upstreamServiceTimeMs?: number | undefined
  /** The request has been read to its end; its last attempt went out; the answer began, and has come whole. */
  requestEnd?: number | undefined
  upstreamStart?: number | undefined
  /** Its last attempt began to look for a connection. */
  attemptStart?: number | undefined
  upstreamFirstByte?: number | undefined
  upstreamEnd?: number | undefined
  /** A connection to `endpoint` was had. */
  connected?: boolean | undefined
  /** Those that were connected to before, each once. */
  attempted?: Endpoint[] | undefined
  /** alt_stat_name of the cluster, where it has one. */
  clusterStatName?: string | undefined
  upstreamConnection?: Connection | undefined
  /** Those of attempts before. */
  earlierConnections?: Connection[] | undefined
  /** Why TLS with the client failed; only listeners hear of it. */
  downstreamTransportFailureReason?: string | undefined
  /** The client as far as it is trusted, which x-forwarded-for may have told. */
  downstreamRemote: string
  /** The peer of the connection, where it is another. */
  downstreamDirectRemote?: string | undefined
  downstreamLocal: string
  upstreamLocal?: string | undefined
  sni?: string | undefined
  /** Of the client's connection. */
  downstreamTls?: TlsInfo | undefined
  /** Of the connection to the endpoint. */
  upstreamTls?: TlsInfo | undefined
  /** Filter chain and listener of the client's connection, and when it came about. */
  servedAt?: ServedAt | undefined
  downstreamTimes?: ConnectionTimes | undefined
  tlsFingerprints?: TlsFingerprints | undefined
  /** First URI SAN of the verified peer. */
  peerPrincipal?: string | undefined
  localPrincipal?: string | undefined
  /** First URI SANs of the upstream's verified certificate and of the one shown to it. */
  upstreamPeerPrincipal?: string | undefined
  upstreamLocalPrincipal?: string | undefined
  grpcStatus?: string | undefined
  /** Dynamic metadata by filter namespace. */
  readonly metadata: Map<string, Record<string, unknown>>
  /** What filters keep for one another, by name: peer metadata, shadow verdicts. */
  readonly filterState: Map<string, unknown>
}
