export { type AddXdsServiceOptions, addXdsService } from './add-xds-service.js'
export { type AddClientStatusOptions, addClientStatusService } from './client-status.js'
export { type AddHealthOptions, addHealthService } from './health.js'
export {
  type GrpcXdsServer,
  type ListenOptions,
  listenGrpc,
  SERVER_CHANNEL_OPTIONS,
} from './listen.js'
export { type AddLoadReportingOptions, addLoadReportingService } from './load-reporting.js'
export type { Authenticate, Peer } from './peer.js'
export { type AddReflectionOptions, addReflectionService } from './reflection.js'
export { ADS, definitionOf, PER_TYPE_SERVICES, type StreamMethod, type XdsService } from './service.js'
export { createTlsCredentials, type ServerIdentity, type TlsCredentialsOptions } from './tls-credentials.js'
