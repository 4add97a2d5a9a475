export { build } from './build.js'
export { type DestinationOptions, type DraftDestination, split, to } from './destinations.js'
export {
  authorizationPolicy,
  type DestinationRuleDraft,
  type Drafter,
  destinationRule,
  envoyFilter,
  gateway,
  peerAuthentication,
  proxyConfig,
  requestAuthentication,
  serviceEntry,
  sidecar,
  telemetry,
  virtualService,
  wasmPlugin,
  workloadEntry,
  workloadGroup,
} from './drafts.js'
export type { Draft, DraftMetadata, DurationText, Written } from './written.js'
