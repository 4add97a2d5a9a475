export { ApiError, type ClientConfig } from './api-server.js'
export { createKubernetesRegistry, type KubernetesOptions, WATCHED_KINDS } from './registry.js'
export { type StatusWriterOptions, writeStatuses } from './status-writer.js'
export {
  createTokenReviewer,
  type TokenReviewer,
  type TokenReviewerOptions,
  type TokenReviewSpec,
  type TokenReviewStatus,
} from './token-review.js'
