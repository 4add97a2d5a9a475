import { authorizationPolicy } from './authorization-policy.js'
import { destinationRule } from './destination-rule.js'
import { envoyFilter } from './envoy-filter.js'
import { gateway } from './gateway.js'
import { backendTlsPolicy } from './gateway-api/backend-tls-policy.js'
import { backendTrafficPolicy } from './gateway-api/backend-traffic-policy.js'
import { kubernetesGateway } from './gateway-api/gateway.js'
import { gatewayClass } from './gateway-api/gateway-class.js'
import { grpcRoute } from './gateway-api/grpc-route.js'
import { httpRouteKind } from './gateway-api/http-route.js'
import { inferencePool } from './gateway-api/inference-pool.js'
import { tcpRoute, tlsRoute } from './gateway-api/l4-routes.js'
import { listenerSet } from './gateway-api/listener-set.js'
import { referenceGrant } from './gateway-api/reference-grant.js'
import type { KindName, KindOf } from './index.js'
import type { Kind } from './kind.js'
import { configMap } from './kubernetes/config-map.js'
import { endpointSlice } from './kubernetes/endpoint-slice.js'
import { endpoints } from './kubernetes/endpoints.js'
import { ingress, ingressClass } from './kubernetes/ingress.js'
import { namespace } from './kubernetes/namespace.js'
import { node } from './kubernetes/node.js'
import { pod } from './kubernetes/pod.js'
import { secret } from './kubernetes/secret.js'
import { service } from './kubernetes/service.js'
import { serviceAccount } from './kubernetes/service-account.js'
import { cronJob, daemonSet, deployment, job, replicaSet, replicationController, statefulSet } from './kubernetes/workload.js'
import { peerAuthentication } from './peer-authentication.js'
import { proxyConfig } from './proxy-config.js'
import { requestAuthentication } from './request-authentication.js'
import { serviceEntry } from './service-entry.js'
import { sidecar } from './sidecar.js'
import { telemetry } from './telemetry.js'
import { trafficExtension } from './traffic-extension.js'
import { virtualService } from './virtual-service.js'
import { wasmPlugin } from './wasm-plugin.js'
import { workloadEntry } from './workload-entry.js'
import { workloadGroup } from './workload-group.js'

/** How each kind is read and judged. */
export const KINDS: { readonly [K in KindName]: Kind<KindOf<K>> } = {
  VirtualService: virtualService,
  DestinationRule: destinationRule,
  Gateway: gateway,
  ServiceEntry: serviceEntry,
  Sidecar: sidecar,
  WorkloadEntry: workloadEntry,
  WorkloadGroup: workloadGroup,
  EnvoyFilter: envoyFilter,
  ProxyConfig: proxyConfig,
  PeerAuthentication: peerAuthentication,
  RequestAuthentication: requestAuthentication,
  AuthorizationPolicy: authorizationPolicy,
  Telemetry: telemetry,
  WasmPlugin: wasmPlugin,
  TrafficExtension: trafficExtension,
  Service: service,
  EndpointSlice: endpointSlice,
  Endpoints: endpoints,
  Pod: pod,
  Namespace: namespace,
  Node: node,
  ServiceAccount: serviceAccount,
  Secret: secret,
  ConfigMap: configMap,
  Deployment: deployment,
  StatefulSet: statefulSet,
  DaemonSet: daemonSet,
  ReplicaSet: replicaSet,
  ReplicationController: replicationController,
  Job: job,
  CronJob: cronJob,
  Ingress: ingress,
  IngressClass: ingressClass,
  GatewayClass: gatewayClass,
  KubernetesGateway: kubernetesGateway,
  ListenerSet: listenerSet,
  HTTPRoute: httpRouteKind,
  GRPCRoute: grpcRoute,
  TLSRoute: tlsRoute,
  TCPRoute: tcpRoute,
  ReferenceGrant: referenceGrant,
  BackendTLSPolicy: backendTlsPolicy,
  XBackendTrafficPolicy: backendTrafficPolicy,
  InferencePool: inferencePool,
}

export const KIND_NAMES: readonly KindName[] = Object.keys(KINDS) as KindName[]

const byGroupAndName = new Map<string, Kind>(
  Object.values(KINDS).flatMap((kind) =>
    kind.groups.map((group): [string, Kind] => [`${group}/${(kind as Kind).writtenAs ?? kind.name}`, kind as unknown as Kind]),
  ),
)

/** Names of the kinds of an API group, as objects write them; none: the group is not one of ours. */
export function kindsOfGroup(group: string): string[] {
  return [...byGroupAndName.keys()].filter((key) => key.startsWith(`${group}/`)).map((key) => key.slice(group.length + 1))
}

/** The kind of `networking.istio.io/v1alpha3` + `VirtualService`; undefined: not one of ours. The version does not matter. */
export function kindFor(apiVersion: string, kind: string): Kind | undefined {
  const slash = apiVersion.lastIndexOf('/')
  return byGroupAndName.get(`${slash < 0 ? '' : apiVersion.slice(0, slash)}/${kind}`)
}
