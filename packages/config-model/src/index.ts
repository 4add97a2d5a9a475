export {
  type DestinationRuleHosts,
  type MergedDestinationRule,
  type MergedSubset,
  type RuleQuestion,
  ruleFor,
} from './catalog/destination-rules.js'
export type { EndpointlessService } from './catalog/endpointless.js'
export { type HostServices, serviceFor } from './catalog/hosts.js'
export { networksIn } from './catalog/networks.js'
export {
  allOf,
  levelsOf,
  mergedProxyConfig,
  mutualTlsMode,
  type NamespacePolicies,
  type Policies,
  type PolicyScopes,
  scopesOf,
} from './catalog/policies.js'
export type { Precedence } from './catalog/precedence.js'
export * from './catalog/service.js'
export {
  defaultScope,
  type EgressScope,
  type Import,
  type SidecarScope,
  scopeFor,
  seesService,
  seesVirtualService,
} from './catalog/sidecar-scopes.js'
export {
  mergedRules,
  type SidecarHostPolicy,
  sidecarRules,
  type VirtualHost,
  type VirtualHosts,
} from './catalog/virtual-hosts.js'
export {
  delegateOf,
  type EffectiveHttpRoute,
  type EffectiveL4Match,
  type EffectiveL4Route,
  type EffectiveVirtualService,
  effectiveVirtualService,
  gatewayName,
  MESH_GATEWAY,
} from './catalog/virtual-services.js'
export { exportedTo } from './catalog/visibility.js'
export { type JoiningWorkload, registerWorkload } from './catalog/workload-group.js'
export { matchesRegex } from './checks/regex.js'
export type { Condition, ResourceStatus } from './convert/status.js'
export { formatDuration, parseDuration } from './decode/duration.js'
export { type Decoded, type DecodeOptions, decodeResource, type OtherResource } from './decode/resource.js'
export { formatPath, parsePath } from './decode/site.js'
export { KIND_NAMES } from './kinds/all.js'
export {
  type DestinationExtensions,
  type DestinationHealthCheck,
  type DestinationRateLimit,
  destinationExtensions,
  HEALTH_CHECK_ANNOTATION,
  RATE_LIMIT_ANNOTATION,
} from './kinds/destination-extensions.js'
export { fieldsOfKinds } from './kinds/fields-of.js'
export { defaultMeshConfig } from './kinds/mesh-config.js'
export { type MeshNetwork, type MeshNetworkGateway, type MeshNetworks, readMeshNetworks } from './kinds/mesh-networks.js'
export * from './kinds/types.js'
export { type ReadMeshConfigOptions, readMeshConfig } from './mesh-config.js'
export { bySpecificity, hostSubsetOf, hostsOverlap, isWildcard, resolveHost } from './names/host.js'
export { matchesSelector, selects } from './names/labels.js'
export { isHttp, isTcp, isTls, kubernetesPortProtocol, parseProtocol } from './names/port-protocol.js'
export type { DocumentOrigin } from './origins.js'
export { type ReadOptions, type ReadResult, readYaml } from './read.js'
export * from './resource.js'
export * from './snapshot.js'
export type { Batch, Store, StoreCollections, StoreOptions } from './store.js'
export { createStore } from './store.js'
