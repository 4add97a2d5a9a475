// The types of all kinds, for the package entry.
export type {
  AuthorizationCondition,
  AuthorizationOperation,
  AuthorizationPolicy,
  AuthorizationPolicySpec,
  AuthorizationRule,
  AuthorizationSource,
} from './authorization-policy.js'
export type {
  ClientTLSSettings,
  Duration,
  LabelSelector,
  LabelSelectorRequirement,
  LabelsSelector,
  LocalityLoadBalancerSetting,
  MatchLabelsSelector,
  Percent,
  PolicyTargetReference,
  PortSelector,
  ServerTLSSettings,
  StringMatch,
  TLSProtocol,
  ZoneAwareLoadBalancerSetting,
} from './common.js'
export type { DestinationRule, DestinationRuleSpec, Subset } from './destination-rule.js'
export type {
  EnvoyConfigObjectMatch,
  EnvoyConfigObjectPatch,
  EnvoyFilter,
  EnvoyFilterApplyTo,
  EnvoyFilterContext,
  EnvoyFilterOperation,
  EnvoyFilterPatch,
  EnvoyFilterSpec,
  EnvoyListenerMatch,
  EnvoyRouteConfigurationMatch,
  EnvoyWaypointMatch,
} from './envoy-filter.js'
export type {
  DynatraceSampler,
  EnvoyAlsProvider,
  EnvoyExtAuthzGrpcProvider,
  EnvoyExtAuthzHttpProvider,
  EnvoyFileAccessLogProvider,
  EnvoyOtelAlsProvider,
  ExtensionProvider,
  OpenTelemetryProvider,
  ProviderHttpHeader,
  RequestBodyInCheck,
  ServiceProvider,
  ZipkinProvider,
} from './extension-provider.js'
export type { Gateway, GatewaySpec, Port, Server } from './gateway.js'
export type { BackendTLSPolicy, BackendTLSPolicySpec } from './gateway-api/backend-tls-policy.js'
export type { XBackendTrafficPolicy, XBackendTrafficPolicySpec } from './gateway-api/backend-traffic-policy.js'
export type { KubernetesGateway, KubernetesGatewaySpec } from './gateway-api/gateway.js'
export type { GatewayClass, GatewayClassSpec } from './gateway-api/gateway-class.js'
export type { GRPCRoute, GRPCRouteSpec } from './gateway-api/grpc-route.js'
export type { HTTPRoute as KubernetesHTTPRoute, HTTPRouteSpec } from './gateway-api/http-route.js'
export type { InferencePool, InferencePoolSpec } from './gateway-api/inference-pool.js'
export type {
  TCPRoute as KubernetesTCPRoute,
  TCPRouteSpec,
  TLSRoute as KubernetesTLSRoute,
  TLSRouteSpec,
} from './gateway-api/l4-routes.js'
export type { ListenerSet, ListenerSetSpec } from './gateway-api/listener-set.js'
export type { ReferenceGrant, ReferenceGrantSpec } from './gateway-api/reference-grant.js'
export type {
  CorsPolicy,
  Destination,
  FaultAbort,
  FaultDelay,
  HeaderOperations,
  Headers,
  HTTPDirectResponse,
  HTTPFaultInjection,
  HTTPMatchRequest,
  HTTPMirrorPolicy,
  HTTPRedirect,
  HTTPRetry,
  HTTPRewrite,
  HTTPRoute,
  HTTPRouteDestination,
} from './http-route.js'
export type { AnyResource, KindName, KindOf, Kinds } from './index.js'
export type { ConfigMap, ConfigMapSpec } from './kubernetes/config-map.js'
export type { EndpointSlice, EndpointSliceSpec, ObjectReference, SliceEndpoint, SlicePort } from './kubernetes/endpoint-slice.js'
export type { EndpointAddress, EndpointSubset, Endpoints, EndpointsSpec } from './kubernetes/endpoints.js'
export type { Ingress, IngressBackend, IngressClass, IngressPath, IngressSpec } from './kubernetes/ingress.js'
export type { Namespace } from './kubernetes/namespace.js'
export type { Node } from './kubernetes/node.js'
export type { Container, ContainerPort, Pod, PodSpec, PodStatus } from './kubernetes/pod.js'
export type { Secret, SecretSpec } from './kubernetes/secret.js'
export type { KubernetesServicePort, Service, ServiceSpec } from './kubernetes/service.js'
export type { ServiceAccount } from './kubernetes/service-account.js'
export type {
  CronJob,
  DaemonSet,
  Deployment,
  Job,
  PodTemplate,
  ReplicaSet,
  ReplicationController,
  StatefulSet,
  WorkloadSpec,
} from './kubernetes/workload.js'
export type { ConfigSource, MeshConfig, MeshOutboundTrafficPolicy, MeshTLS } from './mesh-config.js'
export type {
  ConnectionSettings,
  ForwardClientCertDetails,
  MeshCustomTag,
  MeshProxyConfig,
  ProxyHeaders,
  ProxyTracing,
} from './mesh-proxy-config.js'
export type { MutualTLSMode, PeerAuthentication, PeerAuthenticationSpec } from './peer-authentication.js'
export type { ProxyConfig, ProxyConfigSpec } from './proxy-config.js'
export type { JWTRule, RequestAuthentication, RequestAuthenticationSpec } from './request-authentication.js'
export type { ServiceEntry, ServiceEntryPort, ServiceEntrySpec } from './service-entry.js'
export type {
  CaptureMode,
  IstioEgressListener,
  IstioIngressListener,
  OutboundTrafficPolicy,
  Sidecar,
  SidecarPort,
  SidecarSpec,
} from './sidecar.js'
export type {
  MetricsOverride,
  ProviderRef,
  Telemetry,
  TelemetryAccessLogging,
  TelemetryCustomTag,
  TelemetryMetrics,
  TelemetrySpec,
  TelemetryTracing,
  WorkloadMode,
} from './telemetry.js'
export type { TrafficExtension, TrafficExtensionSpec } from './traffic-extension.js'
export type {
  ConnectionPoolSettings,
  ConsistentHash,
  HTTPCookie,
  HTTPSettings,
  LoadBalancerSettings,
  OutlierDetection,
  PortTrafficPolicy,
  RetryBudget,
  SimpleLoadBalancer,
  TCPSettings,
  TcpKeepalive,
  TrafficPolicy,
  TunnelSettings,
  Warmup,
} from './traffic-policy.js'
export type {
  L4MatchAttributes,
  RouteDestination,
  TCPRoute,
  TLSMatchAttributes,
  TLSRoute,
  VirtualService,
  VirtualServiceSpec,
} from './virtual-service.js'
export type { WasmModuleFields, WasmPlugin, WasmPluginSpec } from './wasm-plugin.js'
export type { WorkloadEntry, WorkloadEntrySpec } from './workload-entry.js'
export type { ReadinessProbe, WorkloadGroup, WorkloadGroupSpec } from './workload-group.js'
