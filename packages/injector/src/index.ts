export type { LabelSelector } from '@heddle/config-model'
export {
  type Applied,
  type ApplyOptions,
  applyCapture,
  type CommandResult,
  cleanCapture,
  type RunCommand,
} from './capture/apply.js'
export { type CaptureConfig, type CaptureText, captureConfig, DEFAULT_CAPTURE } from './capture/config.js'
export { type IptablesRules, iptablesRules } from './capture/iptables.js'
export { nftablesRules } from './capture/nftables.js'
export { type Decision, decide, IGNORED_NAMESPACES } from './decide.js'
export { type RenderedGateways, type RenderGatewayManifestOptions, renderGatewayManifest } from './gateways/manifest.js'
export { type GatewayDeployment, type RenderGatewayOptions, renderGateway } from './gateways/render-gateway.js'
export { type Injection, inject, type ObjectDecision } from './inject.js'
export { readInjectConfig } from './inject-config.js'
export { type JsonPatch, jsonPatch } from './json-patch.js'
export type { Container, EnvVar, KubernetesObject, Metadata, PodSpec, PodTemplate } from './kubernetes.js'
export { type InjectedManifest, injectManifest, type ManifestOptions } from './manifests.js'
export { type InjectOptions, supportsNativeSidecars } from './options.js'
export type { MeshConfigInput, ProxyConfigInput } from './proxy-config.js'
export type { InjectionTemplate, TemplateContext } from './templates/context.js'
export { overlayTemplate } from './templates/overlay.js'
export { DEFAULT_VALUES, type InjectionValues, type ProxyValues, type ValuesInput } from './values.js'
export { type WebhookConfigurationOptions, webhookConfiguration } from './webhook/configuration.js'
export { type AdmissionReviewResponse, reviewPod } from './webhook/review.js'
export { createWebhookServer, type ServerIdentity, type WebhookServer, type WebhookServerOptions } from './webhook/server.js'
export type { Owner } from './workload.js'
