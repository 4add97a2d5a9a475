import type { AuthorizationPolicy } from './authorization-policy.js'
import type { DestinationRule } from './destination-rule.js'
import type { EnvoyFilter } from './envoy-filter.js'
import type { Gateway } from './gateway.js'
import type { BackendTLSPolicy } from './gateway-api/backend-tls-policy.js'
import type { XBackendTrafficPolicy } from './gateway-api/backend-traffic-policy.js'
import type { KubernetesGateway } from './gateway-api/gateway.js'
import type { GatewayClass } from './gateway-api/gateway-class.js'
import type { GRPCRoute } from './gateway-api/grpc-route.js'
import type { HTTPRoute } from './gateway-api/http-route.js'
import type { InferencePool } from './gateway-api/inference-pool.js'
import type { TCPRoute, TLSRoute } from './gateway-api/l4-routes.js'
import type { ListenerSet } from './gateway-api/listener-set.js'
import type { ReferenceGrant } from './gateway-api/reference-grant.js'
import type { ConfigMap } from './kubernetes/config-map.js'
import type { EndpointSlice } from './kubernetes/endpoint-slice.js'
import type { Endpoints } from './kubernetes/endpoints.js'
import type { Ingress, IngressClass } from './kubernetes/ingress.js'
import type { Namespace } from './kubernetes/namespace.js'
import type { Node } from './kubernetes/node.js'
import type { Pod } from './kubernetes/pod.js'
import type { Secret } from './kubernetes/secret.js'
import type { Service } from './kubernetes/service.js'
import type { ServiceAccount } from './kubernetes/service-account.js'
import type {
  CronJob,
  DaemonSet,
  Deployment,
  Job,
  ReplicaSet,
  ReplicationController,
  StatefulSet,
} from './kubernetes/workload.js'
import type { PeerAuthentication } from './peer-authentication.js'
import type { ProxyConfig } from './proxy-config.js'
import type { RequestAuthentication } from './request-authentication.js'
import type { ServiceEntry } from './service-entry.js'
import type { Sidecar } from './sidecar.js'
import type { Telemetry } from './telemetry.js'
import type { TrafficExtension } from './traffic-extension.js'
import type { VirtualService } from './virtual-service.js'
import type { WasmPlugin } from './wasm-plugin.js'
import type { WorkloadEntry } from './workload-entry.js'
import type { WorkloadGroup } from './workload-group.js'

/** The kinds this package knows, by name. `Gateway` is Istio's, `KubernetesGateway` that of the Gateway API. */
export interface Kinds {
  VirtualService: VirtualService
  DestinationRule: DestinationRule
  Gateway: Gateway
  ServiceEntry: ServiceEntry
  Sidecar: Sidecar
  WorkloadEntry: WorkloadEntry
  WorkloadGroup: WorkloadGroup
  EnvoyFilter: EnvoyFilter
  ProxyConfig: ProxyConfig
  PeerAuthentication: PeerAuthentication
  RequestAuthentication: RequestAuthentication
  AuthorizationPolicy: AuthorizationPolicy
  Telemetry: Telemetry
  WasmPlugin: WasmPlugin
  TrafficExtension: TrafficExtension
  Service: Service
  EndpointSlice: EndpointSlice
  Endpoints: Endpoints
  Pod: Pod
  Namespace: Namespace
  Node: Node
  ServiceAccount: ServiceAccount
  Secret: Secret
  ConfigMap: ConfigMap
  Deployment: Deployment
  StatefulSet: StatefulSet
  DaemonSet: DaemonSet
  ReplicaSet: ReplicaSet
  ReplicationController: ReplicationController
  Job: Job
  CronJob: CronJob
  Ingress: Ingress
  IngressClass: IngressClass
  GatewayClass: GatewayClass
  KubernetesGateway: KubernetesGateway
  ListenerSet: ListenerSet
  HTTPRoute: HTTPRoute
  GRPCRoute: GRPCRoute
  TLSRoute: TLSRoute
  TCPRoute: TCPRoute
  ReferenceGrant: ReferenceGrant
  BackendTLSPolicy: BackendTLSPolicy
  XBackendTrafficPolicy: XBackendTrafficPolicy
  InferencePool: InferencePool
}

export type KindName = keyof Kinds
export type KindOf<K extends KindName> = Kinds[K]
/** A resource of any known kind. */
export type AnyResource = Kinds[KindName]
