export { logLevelOf } from './admin/log-level.js'
export type { Answer as AdminAnswer } from './admin/page.js'
export { type AdminServer, createAdminServer } from './admin/server.js'
export type { WorkerShare } from './admin/worker-share.js'
export { type ProxyBootstrap, parseBootstrap } from './bootstrap.js'
export type { CompiledCluster, CompiledListener, HttpManager, Secret, SecretSource } from './config/compiled.js'
export type { ReadFile } from './config/data-source.js'
export { type ExplainConfig, type ExplainRequest, explain } from './explain/explain.js'
export type { ExplainedResource, ExplainedResult, ExplainedStage, Explanation, Loser } from './explain/explanation.js'
export { defaultHttpFilters } from './filters/defaults.js'
export type { ConnectionFacts } from './filters/listener/facts.js'
export type { FilterDeps, HttpFilter, HttpFilterFactory, HttpStream } from './http/filter.js'
export { createHeaderMap, type HeaderMap } from './http/header-map.js'
export type { Body, BodySink, HttpRequest, HttpResponse, LocalReply } from './http/message.js'
export { type MiddlewareContext, type MiddlewareOptions, middleware, type Next } from './http/middleware.js'
export type { StreamInfo } from './http/stream-info.js'
export { verifyJws } from './jwt/verify-jws.js'
export type { BufferChooser, Connection, ConnectionHandler, SocketAddress, TlsInfo } from './net/connection.js'
export { type Lookup, systemLookup } from './net/dns.js'
export { createMemoryNetwork } from './net/memory.js'
export type { BoundListener, ConnectOptions, ListenOptions, Network } from './net/network.js'
export { createTls, type TlsOptions } from './net/node-tls.js'
export { createMappedOriginalDst } from './net/original-dst/mapped.js'
export { type AcceptedSocket, type OriginalDst, OriginalDstError } from './net/original-dst/original-dst.js'
export { type PeerRules, peerRules } from './net/peer-rules.js'
export { createSystemNetwork, type SystemNetworkOptions } from './net/socket.js'
export type { ClientTlsContext, ServerTlsContext, Tls, TlsTerms } from './net/tls.js'
export { type ChainQuestion, chainProblem, type PeerName } from './net/x509/chain.js'
export type { AccessLogConfig, AccessLogEntry, AccessLogSink, AccessLogSinks } from './observe/access-log.js'
export type { StatChange, StatsSink } from './observe/stats-sink.js'
export { createProxy, type ListenerAddress, type ProxyServer } from './proxy.js'
export { type ProxyOptions, ProxyStartError } from './proxy-options.js'
export type { RouteDecision } from './route/decision.js'
export type { RequestHead, RouteTable } from './route/table.js'
export {
  chainSecrets,
  createIdentitySecrets,
  createStaticSecrets,
  WORKLOAD_SECRETS,
  type WorkloadIdentity,
} from './secrets.js'
export { createSnapshotFile, type SnapshotStore } from './snapshot/snapshot-file.js'
export {
  type CompiledResources,
  type CompileResourcesOptions,
  compileResources,
  type ResourceMessages,
} from './state/compile-resources.js'
export type { Endpoint, EndpointSet } from './upstream/endpoint.js'
export type { XdsStatus } from './xds/client.js'
export { createGrpcTransport, type GrpcTls, type GrpcTransportOptions } from './xds/grpc-transport.js'
export type { StreamEvents, XdsStream, XdsTransport } from './xds/transport.js'
