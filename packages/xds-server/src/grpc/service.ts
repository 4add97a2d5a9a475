import type { handleBidiStreamingCall, MethodDefinition, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js'

type Variant = 'sotw' | 'delta'

/** One streaming method: where it is, how it talks, and the only type it serves (undefined: any). */
export interface StreamMethod {
  readonly name: string
  readonly variant: Variant
  readonly typeUrl: string | undefined
}

/** One gRPC service of the transport protocol (XP "RPC Services and Methods for each Variant"). */
export interface XdsService {
  readonly service: string
  readonly methods: readonly StreamMethod[]
}

const PREFIX = 'type.googleapis.com/'

function perType(service: string, type: string, names: { readonly stream?: string; readonly delta: string }): XdsService {
  const typeUrl = PREFIX + type
  const delta: StreamMethod = { name: names.delta, variant: 'delta', typeUrl }
  return { service, methods: names.stream === undefined ? [delta] : [{ name: names.stream, variant: 'sotw', typeUrl }, delta] }
}

/** Aggregated discovery: all types over one stream. */
export const ADS: XdsService = {
  service: 'envoy.service.discovery.v3.AggregatedDiscoveryService',
  methods: [
    { name: 'StreamAggregatedResources', variant: 'sotw', typeUrl: undefined },
    { name: 'DeltaAggregatedResources', variant: 'delta', typeUrl: undefined },
  ],
}

/** One service per type. VHDS and LEDS are Delta only. */
export const PER_TYPE_SERVICES: readonly XdsService[] = [
  perType('envoy.service.cluster.v3.ClusterDiscoveryService', 'envoy.config.cluster.v3.Cluster', {
    stream: 'StreamClusters',
    delta: 'DeltaClusters',
  }),
  perType('envoy.service.endpoint.v3.EndpointDiscoveryService', 'envoy.config.endpoint.v3.ClusterLoadAssignment', {
    stream: 'StreamEndpoints',
    delta: 'DeltaEndpoints',
  }),
  perType('envoy.service.endpoint.v3.LocalityEndpointDiscoveryService', 'envoy.config.endpoint.v3.LbEndpoint', {
    delta: 'DeltaLocalityEndpoints',
  }),
  perType('envoy.service.listener.v3.ListenerDiscoveryService', 'envoy.config.listener.v3.Listener', {
    stream: 'StreamListeners',
    delta: 'DeltaListeners',
  }),
  perType('envoy.service.route.v3.RouteDiscoveryService', 'envoy.config.route.v3.RouteConfiguration', {
    stream: 'StreamRoutes',
    delta: 'DeltaRoutes',
  }),
  perType('envoy.service.route.v3.ScopedRoutesDiscoveryService', 'envoy.config.route.v3.ScopedRouteConfiguration', {
    stream: 'StreamScopedRoutes',
    delta: 'DeltaScopedRoutes',
  }),
  perType('envoy.service.route.v3.VirtualHostDiscoveryService', 'envoy.config.route.v3.VirtualHost', {
    delta: 'DeltaVirtualHosts',
  }),
  perType('envoy.service.secret.v3.SecretDiscoveryService', 'envoy.extensions.transport_sockets.tls.v3.Secret', {
    stream: 'StreamSecrets',
    delta: 'DeltaSecrets',
  }),
  perType('envoy.service.extension.v3.ExtensionConfigDiscoveryService', 'envoy.config.core.v3.TypedExtensionConfig', {
    stream: 'StreamExtensionConfigs',
    delta: 'DeltaExtensionConfigs',
  }),
  perType('envoy.service.runtime.v3.RuntimeDiscoveryService', 'envoy.service.runtime.v3.Runtime', {
    stream: 'StreamRuntime',
    delta: 'DeltaRuntime',
  }),
]

// Messages pass as bytes: the server encodes a resource once and shares the bytes.
const pass = (bytes: Buffer): Buffer => bytes

/** The definition that a grpc-js server or client takes; messages are bytes. */
export function definitionOf(service: XdsService): ServiceDefinition {
  const methods = service.methods.map(({ name }): [string, MethodDefinition<Buffer, Buffer>] => [
    name,
    {
      path: `/${service.service}/${name}`,
      requestStream: true,
      responseStream: true,
      requestSerialize: pass,
      requestDeserialize: pass,
      responseSerialize: pass,
      responseDeserialize: pass,
    },
  ])
  return Object.fromEntries(methods)
}

export function implementationOf(
  service: XdsService,
  handle: (method: StreamMethod) => handleBidiStreamingCall<Buffer, Buffer>,
): UntypedServiceImplementation {
  return Object.fromEntries(service.methods.map((method) => [method.name, handle(method)]))
}
