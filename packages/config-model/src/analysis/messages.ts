import type { Severity } from '@heddle/runtime'

/** A kind of message: its level, its code, and the text with its verbs (`%s`, `%q`, `%d`, `%v`). */
export type MessageType = readonly [level: Severity, code: string, template: string]

/**
 * Istio's messages by Istio's names (1.32). Codes, levels and texts are Istio's interface: people and tools look for them. IST0141 to
 * IST0143, IST0168 and IST0169 come from a look at a live cluster (`istioctl x precheck`): here from {@link ClusterFacts}.
 */
export const ISTIO_MESSAGES = {
  InternalError: ['error', 'IST0001', 'Internal error: %v'],
  Deprecated: ['warning', 'IST0002', 'Deprecated: %s'],
  ReferencedResourceNotFound: ['error', 'IST0101', 'Referenced %s not found: %q'],
  NamespaceNotInjected: [
    'info',
    'IST0102',
    "The namespace is not enabled for Istio injection. Run 'kubectl label namespace %s istio-injection=enabled' to enable it, or 'kubectl label namespace %s istio-injection=disabled' to explicitly mark it as not needing injection.",
  ],
  PodMissingProxy: [
    'warning',
    'IST0103',
    'The pod %s is missing the Istio proxy. This can often be resolved by restarting or redeploying the workload.',
  ],
  SchemaValidationError: ['error', 'IST0106', 'Schema validation error: %v'],
  MisplacedAnnotation: ['warning', 'IST0107', 'Misplaced annotation: %s can only be applied to %s'],
  UnknownAnnotation: ['warning', 'IST0108', 'Unknown annotation: %s'],
  ConflictingMeshGatewayVirtualServiceHosts: [
    'error',
    'IST0109',
    'The VirtualServices %s associated with mesh gateway define the same host %s which can lead to undefined behavior. This can be fixed by merging the conflicting VirtualServices into a single resource.',
  ],
  ConflictingSidecarWorkloadSelectors: [
    'error',
    'IST0110',
    'The Sidecars %v in namespace %q select the same workload pod %q, which can lead to undefined behavior.',
  ],
  MultipleSidecarsWithoutWorkloadSelectors: [
    'error',
    'IST0111',
    'The Sidecars %v in namespace %q have no workload selector, which can lead to undefined behavior.',
  ],
  VirtualServiceDestinationPortSelectorRequired: [
    'error',
    'IST0112',
    'This VirtualService routes to a service %q that exposes multiple ports %v. Specifying a port in the destination is required to disambiguate.',
  ],
  DeploymentAssociatedToMultipleServices: [
    'warning',
    'IST0116',
    'This deployment %s is associated with multiple services using port %d but different protocols: %v',
  ],
  PortNameIsNotUnderNamingConvention: [
    'info',
    'IST0118',
    "Port name %s (port: %d, targetPort: %s) doesn't follow the naming convention of Istio port.",
  ],
  NamespaceMultipleInjectionLabels: [
    'warning',
    'IST0123',
    'The namespace has more than one type of injection labels %v, which may lead to undefined behavior. Make sure only one injection label exists.',
  ],
  InvalidAnnotation: ['warning', 'IST0125', 'Invalid annotation %s: %s'],
  UnknownMeshNetworksServiceRegistry: ['error', 'IST0126', 'Unknown service registry %s in network %s'],
  NoMatchingWorkloadsFound: ['warning', 'IST0127', 'No matching workloads for this resource with the following labels: %s'],
  NoServerCertificateVerificationDestinationLevel: [
    'warning',
    'IST0128',
    'DestinationRule %s in namespace %s has TLS mode set to %s but no caCertificates are set to validate server identity for host: %s',
  ],
  NoServerCertificateVerificationPortLevel: [
    'warning',
    'IST0129',
    'DestinationRule %s in namespace %s has TLS mode set to %s but no caCertificates are set to validate server identity for host: %s at port %s',
  ],
  VirtualServiceUnreachableRule: ['warning', 'IST0130', 'VirtualService rule %v not used (%s).'],
  VirtualServiceIneffectiveMatch: [
    'info',
    'IST0131',
    'VirtualService rule %v match %v is not used (duplicate/overlapping match in rule %v).',
  ],
  VirtualServiceHostNotFoundInGateway: [
    'warning',
    'IST0132',
    'one or more host %v defined in VirtualService %s not found in Gateway %s.',
  ],
  SchemaWarning: ['warning', 'IST0133', 'Schema validation warning: %v'],
  ServiceEntryAddressesRequired: ['warning', 'IST0134', 'ServiceEntry addresses are required for this protocol.'],
  DeprecatedAnnotation: ['info', 'IST0135', 'Annotation %q has been deprecated%s and may not work in future Istio versions.'],
  AlphaAnnotation: ['info', 'IST0136', 'Annotation %q is part of an alpha-phase feature and may be incompletely supported.'],
  DeploymentConflictingPorts: [
    'warning',
    'IST0137',
    'This deployment %s is associated with multiple services %v using targetPort %q but different ports: %v.',
  ],
  GatewayDuplicateCertificate: [
    'warning',
    'IST0138',
    'Duplicate certificate in multiple gateways %v may cause 404s if clients re-use HTTP2 connections.',
  ],
  InvalidWebhook: ['error', 'IST0139', '%v'],
  IngressRouteRulesNotAffected: [
    'warning',
    'IST0140',
    'Subset in virtual service %s has no effect on ingress gateway %s requests',
  ],
  InsufficientPermissions: ['error', 'IST0141', 'Missing required permission to create resource %v (%v)'],
  UnsupportedKubernetesVersion: ['error', 'IST0142', 'The Kubernetes Version %q is lower than the minimum version: %v'],
  LocalhostListener: [
    'error',
    'IST0143',
    'Port %v is exposed in a Service but listens on localhost. It will not be exposed to other pods.',
  ],
  InvalidApplicationUID: ['warning', 'IST0144', 'User ID (UID) 1337 is reserved for the sidecar proxy.'],
  ConflictingGateways: ['error', 'IST0145', 'Conflict with gateways %s (workload selector %s, port %s, hosts %v).'],
  ImageAutoWithoutInjectionWarning: [
    'warning',
    'IST0146',
    '%s %s contains `image: auto` but does not match any Istio injection webhook selectors.',
  ],
  ImageAutoWithoutInjectionError: [
    'error',
    'IST0147',
    '%s %s contains `image: auto` but does not match any Istio injection webhook selectors.',
  ],
  NamespaceInjectionEnabledByDefault: [
    'info',
    'IST0148',
    'is enabled for Istio injection, as Istio is installed with enableNamespacesByDefault as true.',
  ],
  JwtClaimBasedRoutingWithoutRequestAuthN: [
    'error',
    'IST0149',
    'The virtual service uses the JWT claim based routing (key: %s) but found no request authentication for the gateway (%s) pod (%s). The request authentication must first be applied for the gateway pods to validate the JWT token and make the claims available for routing.',
  ],
  ExternalNameServiceTypeInvalidPortName: [
    'warning',
    'IST0150',
    'Port name for ExternalName service is invalid. Proxy may prevent tcp named ports and unmatched traffic for ports serving TCP protocol from being forwarded correctly',
  ],
  EnvoyFilterUsesRelativeOperation: [
    'warning',
    'IST0151',
    'This EnvoyFilter does not have a priority and has a relative patch operation set which can cause the EnvoyFilter not to be applied. Using the INSERT_FIRST of ADD option or setting the priority may help in ensuring the EnvoyFilter is applied correctly.',
  ],
  EnvoyFilterUsesReplaceOperationIncorrectly: [
    'error',
    'IST0152',
    'The REPLACE operation is only valid for HTTP_FILTER and NETWORK_FILTER.',
  ],
  EnvoyFilterUsesAddOperationIncorrectly: [
    'error',
    'IST0153',
    'The ADD operation will be ignored when applyTo is set to ROUTE_CONFIGURATION, or HTTP_ROUTE.',
  ],
  EnvoyFilterUsesRemoveOperationIncorrectly: [
    'error',
    'IST0154',
    'The REMOVE operation will be ignored when applyTo is set to ROUTE_CONFIGURATION, or HTTP_ROUTE.',
  ],
  EnvoyFilterUsesRelativeOperationWithProxyVersion: [
    'warning',
    'IST0155',
    'This EnvoyFilter does not have a priority and has a relative patch operation (NSTERT_BEFORE/AFTER, REPLACE, MERGE, DELETE) and proxyVersion set which can cause the EnvoyFilter not to be applied during an upgrade. Using the INSERT_FIRST or ADD option or setting the priority may help in ensuring the EnvoyFilter is applied correctly.',
  ],
  UnsupportedGatewayAPIVersion: ['error', 'IST0156', 'The Gateway API CRD version %v is lower than the minimum version: %v'],
  InvalidTelemetryProvider: ['warning', 'IST0157', 'The Telemetry %v in namespace %q with empty providers will be ignored.'],
  PodsIstioProxyImageMismatchInNamespace: [
    'warning',
    'IST0158',
    'The Istio proxy images of the pods running in the namespace do not match the image defined in the injection configuration (pod names: %v). This often happens after upgrading the Istio control-plane and can be fixed by redeploying the pods.',
  ],
  ConflictingTelemetryWorkloadSelectors: [
    'error',
    'IST0159',
    'The Telemetries %v in namespace %q select the same workload pod %q, which can lead to undefined behavior.',
  ],
  MultipleTelemetriesWithoutWorkloadSelectors: [
    'error',
    'IST0160',
    'The Telemetries %v in namespace %q have no workload selector, which can lead to undefined behavior.',
  ],
  InvalidGatewayCredential: [
    'error',
    'IST0161',
    'The credential referenced by the Gateway %s in namespace %s is invalid, which can cause the traffic not to work as expected.',
  ],
  GatewayPortNotDefinedOnService: [
    'warning',
    'IST0162',
    'The gateway is listening on a target port (port %d) that is not defined in the Service associated with its workload instances (Pod selector %s). If you need to access the gateway port through the gateway Service, it will not be available.',
  ],
  InvalidExternalControlPlaneConfig: [
    'warning',
    'IST0163',
    'The hostname (%s) that was provided for the webhook (%s) to reach the ingress gateway on the external control plane cluster %s. Traffic may not flow properly.',
  ],
  ExternalControlPlaneAddressIsNotAHostname: [
    'info',
    'IST0164',
    'The address (%s) that was provided for the webhook (%s) to reach the ingress gateway on the external control plane cluster is an IP address. This is not recommended for a production environment.',
  ],
  ReferencedInternalGateway: [
    'warning',
    'IST0165',
    'Gateway reference in VirtualService %s is to an implementation-generated internal Gateway: %s.',
  ],
  IneffectiveSelector: ['warning', 'IST0166', 'Ineffective selector on Kubernetes Gateway %s. Use the TargetRef field instead.'],
  IneffectivePolicy: ['warning', 'IST0167', 'The policy has no impact: %s.'],
  UnknownUpgradeCompatibility: [
    'warning',
    'IST0168',
    'The configuration %q changed in release %s, but compatibility cannot be automatically detected: %s. Or, install with `--set compatibilityVersion=%s` to retain the old default.',
  ],
  UpdateIncompatibility: [
    'warning',
    'IST0169',
    'The configuration %q changed in release %s: %s. Or, install with `--set compatibilityVersion=%s` to retain the old default.',
  ],
  MultiClusterInconsistentService: [
    'warning',
    'IST0170',
    'The service %v in namespace %q is inconsistent across clusters %q, which can lead to undefined behaviors. The inconsistent behaviors are: %v.',
  ],
  NegativeConditionStatus: [
    'warning',
    'IST0171',
    'A condition with a negative status is present: type=%s, reason=%s, message=%s.',
  ],
  FutureUnsupportedGatewayAPIVersion: [
    'warning',
    'IST0172',
    'The Gateway API CRD version %v is lower than the minimum version: %v',
  ],
  DestinationRuleSubsetNotSelectPods: [
    'error',
    'IST0173',
    'The Subset %s defined in the DestinationRule does not select any pods. Which may lead to 503 UH (NoHealthyUpstream).',
  ],
  UnknownDestinationRuleHost: [
    'warning',
    'IST0174',
    'The host %s defined in the DestinationRule does not match any services in the mesh.',
  ],
  JwksUriFetchUnrestricted: [
    'warning',
    'IST0175',
    'BLOCKED_CIDRS_IN_JWKS_URIS is not configured but %d RequestAuthentication resource(s) exist (%s). Consider configuring it to restrict JWKS URI fetches to trusted networks.',
  ],
  GatewayAPICRDVersionBelowMinimum: [
    'warning',
    'IST0176',
    'Gateway API CRD %q is at version %q but Istio requires at least %q; resources of this kind will not be processed. Upgrade the Gateway API CRDs to satisfy the minimum version.',
  ],
  ConflictingServiceEntryProtocol: [
    'warning',
    'IST0177',
    'Multiple ServiceEntries (%s) define the same host %q and port %d with conflicting protocols (%s).',
  ],
  EnvoyFilterMayClearRouteCache: [
    'warning',
    'IST0178',
    'Using an EnvoyFilter with route-dependent filters may cause the routing cache to be cleared after the route-dependent filter has run. This can cause a request to be routed differently than it was when the route-dependent filter was evaluated. See https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/http_filters.html#security-considerations.',
  ],
} as const

/** What Istio's analyzers do not tell. */
export const OWN_MESSAGES = {
  ShadowedRoute: ['warning', 'HDL0101', 'No request reaches this match: %s takes all that it would take.'],
  NeverMatchingRule: ['warning', 'HDL0102', 'No request matches this: %s.'],
  MutualTLSConflict: [
    'error',
    'HDL0103',
    'Requests to %s will fail: this DestinationRule has TLS mode %s, but PeerAuthentication %s has mode %s. %s',
  ],
  DestinationWithoutWeight: [
    'info',
    'HDL0104',
    'Destination %s has weight 0 and gets no requests: all go to %s. Swap the weights if that one was to be replaced.',
  ],
  MutualTLSWithoutProxy: [
    'error',
    'HDL0106',
    'Requests to %s will fail: this DestinationRule has TLS mode ISTIO_MUTUAL, which turns mutual TLS on, and %s has no proxy that takes it. Write DISABLE or leave `tls` out.',
  ],
  OverriddenPolicy: ['warning', 'HDL0105', '%s has no effect: %s is of the same scope and older, and that one counts.'],
  FaultIsNotRetried: [
    'info',
    'HDL0107',
    'What `fault.abort` of this rule answers is not retried: it answers before any request is sent. To try retries, put the fault into a rule of the called service.',
  ],
} as const

export type MessageName = keyof typeof ISTIO_MESSAGES | keyof typeof OWN_MESSAGES

/** All messages by name. */
export const MESSAGES: Readonly<Record<MessageName, MessageType>> = { ...ISTIO_MESSAGES, ...OWN_MESSAGES }
/** What stands for a verb; a list is written `[a b]`. */
export type MessageArgument = string | number | readonly (string | number)[]

/** The text of a message. */
export function formatMessage(template: string, args: readonly MessageArgument[]): string {
  let at = 0
  return template.replace(/%[sqdv]/g, (verb) => formatArgument(args[at++] ?? '', verb === '%q'))
}

function formatArgument(value: MessageArgument, quoted: boolean): string {
  if (typeof value === 'object') return `[${value.map((one) => formatArgument(one, quoted)).join(' ')}]`
  return quoted ? JSON.stringify(String(value)) : String(value)
}
