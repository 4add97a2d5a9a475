export { ApiError, type ClientConfig } from './api-server.js'
export { electLeader, type LeaderElection, type LeaderElectionOptions } from './lease.js'
export { type LoadConfigOptions, loadClientConfig } from './load-config.js'
export { createKubernetesRegistry, type KubernetesOptions, WATCHED_KINDS } from './registry.js'
export { type StatusWriterOptions, writeStatuses } from './status-writer.js'
export {
  createTokenReviewer,
  type TokenReviewer,
  type TokenReviewerOptions,
  type TokenReviewSpec,
  type TokenReviewStatus,
} from './token-review.js'
