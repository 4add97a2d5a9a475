export { type Admit, ANONYMOUS, type Authorize, type PeerIdentity, type ResourceAccess, requireNodeIdentity } from './access.js'
export type { Applied, AppliedOptions, Refusal } from './applied.js'
export type { Consistency } from './consistency.js'
export { clientStatus } from './debug/client-status.js'
export { configDump, type DumpedResource, type NodeConfigDump } from './debug/config-dump.js'
export { type NodeSyncStatus, syncStatus, type TypeSyncStatus } from './debug/sync-status.js'
export type { XdsEvent } from './events.js'
export type { Fetched, FetchRequest } from './fetch.js'
export { DEFAULT_LIMITS, type Limits } from './limits.js'
export { createLinearCache, type LinearCache, type LinearUpdate } from './linear-cache.js'
export {
  type ClusterLoad,
  createLoadReports,
  type LoadReports,
  type LoadReportsOptions,
  type LoadStream,
  type LocalityLoad,
} from './load-reports.js'
export { muxWatches } from './mux-cache.js'
export type { NodeInfo } from './node.js'
export { createOnDemandCache, firstLookup, type Lookup, type OnDemandCache, type OnDemandOptions } from './on-demand.js'
export type { ErrorDetail } from './protocol/stream-protocol.js'
export { canonicalName } from './resource-name.js'
export { answerRest, type RestAnswer } from './rest.js'
export { createSnapshotCache, type SnapshotCache, type SnapshotChange } from './snapshot-cache.js'
export type { Exchange, StreamStatus, SyncState, TypeStatus } from './status.js'
export { createStoredCache, type ResourceStore, type StoredCache, type StoredCacheOptions } from './stored-cache.js'
export { type CloseStatus, STATUS, type StreamHandler, type StreamTransport } from './transport.js'
export { valuesOf } from './values-of.js'
export { createXdsServer, type StreamStart, type XdsServer, type XdsServerOptions } from './xds-server.js'
