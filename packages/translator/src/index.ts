export { type AmbientPolicies, ambientPolicies } from './ambient/policies.js'
export { type BootstrapKind, type BootstrapOptions, bootstrapFor, nodeOf } from './bootstrap/bootstrap.js'
export type { JwksSource } from './build.js'
export { HTTP_FEATURES, type HttpFeature, type HttpScope } from './features/index.js'
export { createTranslator, type Translator, type TranslatorOptions } from './incremental/translator.js'
export { type ClusterName, inboundCluster, outboundCluster, parseClusterName, sniOfCluster } from './names.js'
export { type ResourcesJson, toJson } from './output.js'
export { type PilotFeatures, pilotFeatures } from './pilot-features.js'
export type { FieldProvenance, Provenance, ProvenanceIndex } from './provenance.js'
export {
  type InterceptionMode,
  type Locality,
  type NodeMessage,
  type ProxyDescriptor,
  type ProxyType,
  parseLocality,
  proxyFromJson,
  proxyFromNode,
} from './proxy.js'
export { policySource } from './security/authorization-policies.js'
export { type TranslateOptions, type Translation, translate } from './translate.js'
