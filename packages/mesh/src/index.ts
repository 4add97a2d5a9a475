export { type ClusterOptions, type ConfigSource, clusterConfig, type OpenConfig, STATUS_LEASE } from './cluster-source.js'
export { type ControlPlane, type ControlPlaneOptions, createControlPlane, identityOfNode, snapshotsOf } from './control-plane.js'
export { type DebugServer, type DebugSubject, serveDebugPages, splitAddress } from './debug-pages.js'
export {
  type ExplainContext,
  type ExplainedHop,
  explainRequest,
  type MeshExplanation,
  type MeshRequest,
} from './explain/explain-request.js'
export { formatExplanation, formatResult } from './explain/format.js'
export type { TracedLoser, TracedSource, TracedStage } from './explain/trace.js'
export { type GuardedGetOptions, guardedGet } from './guarded-get.js'
export { createJwksFetcher, type JwksFetcher, type JwksFetcherOptions } from './jwks-fetcher.js'
export { type TracedRefusal, traceRefusals } from './refusals.js'
export { identify, type ServeControlPlaneOptions, type ServedControlPlane, serveControlPlane } from './serve-control-plane.js'
export { simulateCluster, simulatedOrigins } from './simulated-cluster.js'
export { findWorkload, proxyOf, type Workload, workloadsOf } from './workloads.js'
