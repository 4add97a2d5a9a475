import type { ResourceGroup } from '@heddle/xds-types'
import type { ClusterLoadAssignment } from '@heddle/xds-types/envoy/config/endpoint/v3'
import { sendsHbone, takesHbone, tunnelsOut } from './ambient/hbone.js'
import { connectOriginateCluster, mainInternalCluster } from './ambient/hbone-clusters.js'
import { connectOriginateListener } from './ambient/hbone-listeners.js'
import { hboneListeners } from './ambient/sidecar.js'
import { waypointClusters, waypointEndpoints } from './ambient/waypoint-clusters.js'
import { waypointListeners } from './ambient/waypoint-listeners.js'
import type { Build } from './build.js'
import { blackHoleCluster, inboundPassthroughCluster, passthroughCluster } from './clusters/builtin.js'
import { inboundClusters } from './clusters/inbound.js'
import { outboundClusters, outboundEndpoints, sniDnatClusters, sniDnatEndpoints } from './clusters/outbound.js'
import { nameTable } from './dns/name-table.js'
import { allowsDynamicDns, dynamicDnsCluster } from './egress-dns.js'
import { gatewayServices } from './gateway-services.js'
import { type BoundServer, serversOf } from './gateways.js'
import { grpcGroups } from './grpc/groups.js'
import { isProxyless } from './grpc/proxyless.js'
import { gatewayListeners } from './listeners/gateway.js'
import { inbound } from './listeners/inbound.js'
import { httpProxyListener, outboundListeners, outboundPlan } from './listeners/outbound.js'
import { virtualInbound } from './listeners/virtual-inbound.js'
import { virtualOutbound } from './listeners/virtual-outbound.js'
import { CLUSTER_TYPE, ENDPOINT_TYPE, EXTENSION_CONFIG_TYPE, LISTENER_TYPE, NAME_TABLE_TYPE, ROUTE_TYPE } from './message.js'
import { HTTP_PROXY_ROUTE } from './names.js'
import { clusterRemoved, patchedClusters } from './patches/clusters.js'
import { patchesOf } from './patches/envoy-filters.js'
import { patchedListeners } from './patches/listeners.js'
import { patchedRoutes, type ServerPorts } from './patches/routes.js'
import type { ProxyDescriptor } from './proxy.js'
import { gatewayRoutes } from './routes/gateway.js'
import { outboundRoutes } from './routes/outbound.js'
import { answersDns } from './service-addresses.js'
import type { ServiceTarget } from './service-targets.js'
import { extensionConfigs } from './traffic-extensions/wasm.js'

/**
 * Resources that are built, shared and compared together. Proxies that answer everything that a part asks of them alike hold the very same groups of it,
 * so what asks more stands in a part of its own: endpoints ask where the proxy is, inbound listeners what it serves.
 */
export interface Part {
  readonly name: string
  groups(build: Build, targets: () => readonly ServiceTarget[]): readonly ResourceGroup[]
}

/** The parts of a proxy's resources. */
export function partsOf(proxy: ProxyDescriptor): readonly Part[] {
  if (isProxyless(proxy)) return GRPC
  if (proxy.type === 'waypoint') return WAYPOINT
  const parts = proxy.type === 'router' ? ROUTER : SIDECAR
  return answersDns(proxy) ? [...parts, names] : parts
}

/** Spans name the workload in every connection manager, so listeners are shared less than routes. */
const listeners: Part = {
  name: 'listeners',
  groups: (build) => [
    group(build, 'outbound listeners', LISTENER_TYPE, () =>
      patchedListeners(build, 'SIDECAR_OUTBOUND', [
        ...outboundListeners(build),
        ...build.memo.of('virtual outbound', [], () => present(virtualOutbound(build))),
        ...(sendsHbone(build) ? [connectOriginateListener(build)] : []),
      ]),
    ),
  ],
}

const routes: Part = {
  name: 'routes',
  groups: (build) => [
    group(build, 'outbound routes', ROUTE_TYPE, () =>
      patchedRoutes(build, 'SIDECAR_OUTBOUND', outboundRoutes(build, routeNames(build))),
    ),
  ],
}

/** Which listeners there are can be told without making them. */
function routeNames(build: Build): readonly string[] {
  return build.memo.of('route names', [], () => outboundPlan(build).routeNames)
}

const clusters: Part = {
  name: 'clusters',
  groups: (build) => [
    group(build, 'outbound clusters', CLUSTER_TYPE, () => [
      ...patchedClusters(build, 'SIDECAR_OUTBOUND', [
        ...outboundClusters(build),
        ...build.memo.of('builtin clusters', [], () => [
          blackHoleCluster(build),
          passthroughCluster(build),
          ...(allowsDynamicDns(build) ? [dynamicDnsCluster(build)] : []),
          ...(tunnelsOut(build) ? [connectOriginateCluster(build)] : []),
        ]),
      ]),
      ...patchedClusters(
        build,
        'SIDECAR_INBOUND',
        build.memo.of('inbound passthrough cluster', [], () => [inboundPassthroughCluster(build)]),
        false,
      ),
    ]),
  ],
}

const gatewayClusters: Part = {
  name: 'gateway clusters',
  groups: (build, targets) => [
    group(build, 'outbound clusters', CLUSTER_TYPE, () =>
      patchedClusters(build, 'GATEWAY', [
        ...outboundClusters(
          build,
          gatewayServices(build, () => serversFor(build, targets)),
        ),
        ...build.memo.of('builtin clusters', [], () => [
          blackHoleCluster(build),
          ...(tunnelsOut(build) ? [connectOriginateCluster(build)] : []),
        ]),
      ]),
    ),
  ],
}

const endpoints: Part = {
  name: 'endpoints',
  groups: (build, targets) => [
    group(build, 'outbound endpoints', ENDPOINT_TYPE, () => {
      const services = gatewayServices(build, () => serversFor(build, targets))
      return withClusters(build, outboundEndpoints(build, services))
    }),
  ],
}

/** Its port is the proxy's own. */
const httpProxy: Part = {
  name: 'http proxy',
  groups(build) {
    const listener = httpProxyListener(build)
    if (listener === undefined) return []
    return [
      group(build, 'http proxy listener', LISTENER_TYPE, () =>
        patchedListeners(build, 'SIDECAR_OUTBOUND', present(httpProxyListener(build)), false),
      ),
      group(build, 'http proxy routes', ROUTE_TYPE, () =>
        patchedRoutes(build, 'SIDECAR_OUTBOUND', outboundRoutes(build, [HTTP_PROXY_ROUTE])),
      ),
    ]
  },
}

const inboundPart: Part = {
  name: 'inbound',
  groups: (build, targets) => [
    group(build, 'inbound listeners', LISTENER_TYPE, () => {
      const { virtualChains, listeners: own } = inbound(build, targets())
      const virtual = build.proxy.interceptionMode === 'NONE' ? [] : [virtualInbound(build, virtualChains)]
      const tunnels = takesHbone(build) ? hboneListeners(build, targets()) : []
      return patchedListeners(build, 'SIDECAR_INBOUND', [...virtual, ...own, ...tunnels])
    }),
    group(build, 'inbound clusters', CLUSTER_TYPE, () =>
      patchedClusters(build, 'SIDECAR_INBOUND', [
        ...inboundClusters(build, targets()),
        ...(takesHbone(build) ? [mainInternalCluster(build)] : []),
      ]),
    ),
  ],
}

/** What AUTO_PASSTHROUGH servers pass on. */
const passthrough: Part = {
  name: 'passthrough',
  groups(build, targets) {
    if (!serversFor(build, targets).some(({ server }) => server.tls?.mode === 'AUTO_PASSTHROUGH')) return []
    return [
      group(build, 'passthrough clusters', CLUSTER_TYPE, () => patchedClusters(build, 'GATEWAY', sniDnatClusters(build), false)),
      group(build, 'passthrough endpoints', ENDPOINT_TYPE, () => withClusters(build, sniDnatEndpoints(build))),
    ]
  },
}

const gateway: Part = {
  name: 'gateway',
  groups: (build, targets) => [
    group(build, 'gateway listeners', LISTENER_TYPE, () =>
      patchedListeners(build, 'GATEWAY', [
        ...gatewayListeners(build, serversFor(build, targets)),
        ...(sendsHbone(build) ? [connectOriginateListener(build)] : []),
      ]),
    ),
    group(build, 'gateway routes', ROUTE_TYPE, () =>
      patchedRoutes(build, 'GATEWAY', gatewayRoutes(build, serversFor(build, targets)), serverPorts(serversFor(build, targets))),
    ),
  ],
}

/** Endpoints of clusters that an EnvoyFilter took away go with them. */
function withClusters(build: Build, list: readonly ClusterLoadAssignment[]): readonly ClusterLoadAssignment[] {
  if (patchesOf(build).empty) return list
  const context = build.proxy.type === 'router' ? 'GATEWAY' : 'SIDECAR_OUTBOUND'
  return list.filter(({ cluster_name = '' }) => !clusterRemoved(build, context, cluster_name))
}

function serverPorts(servers: readonly BoundServer[]): ServerPorts {
  const ports = new Map<number, Set<number>>()
  for (const { listenPort, server } of servers)
    ports.set(listenPort, (ports.get(listenPort) ?? new Set()).add(server.port.number))
  return ports
}

function serversFor(build: Build, targets: () => readonly ServiceTarget[]): readonly BoundServer[] {
  return build.found.of('servers', [], () => serversOf(build.snapshot, build.proxy, targets(), build.features.scopeGateways))
}

const proxyless: Part = { name: 'grpc', groups: (build, targets) => grpcGroups(build, targets()) }

/** What filters ask for by name. */
const extensions: Part = {
  name: 'extensions',
  groups(build) {
    const made = group(build, 'extension configs', EXTENSION_CONFIG_TYPE, () => extensionConfigs(build))
    return made.resources.size === 0 ? [] : [made]
  },
}

/** For the DNS proxy of an agent; it is as long as the mesh, so only those get it that answer DNS. */
const names: Part = {
  name: 'names',
  groups: (build) => [group(build, 'name table', NAME_TABLE_TYPE, () => [nameTable(build)])],
}

/** What a waypoint serves is what it calls. */
const waypoint: Part = {
  name: 'waypoint',
  groups: (build) => [
    group(build, 'waypoint listeners', LISTENER_TYPE, () => patchedListeners(build, 'WAYPOINT', waypointListeners(build))),
    group(build, 'waypoint clusters', CLUSTER_TYPE, () => patchedClusters(build, 'WAYPOINT', waypointClusters(build))),
    group(build, 'waypoint endpoints', ENDPOINT_TYPE, () => waypointEndpoints(build)),
  ],
}

const SIDECAR: readonly Part[] = [listeners, routes, clusters, endpoints, httpProxy, inboundPart, extensions]
const ROUTER: readonly Part[] = [gatewayClusters, endpoints, passthrough, gateway, extensions]
const WAYPOINT: readonly Part[] = [waypoint, extensions]
const GRPC: readonly Part[] = [proxyless]

/** A group of one type, which stays the very same as long as its resources do; empty where the type is not asked for. */
function group(build: Build, name: string, type: string, make: () => readonly object[]): ResourceGroup {
  if (build.types?.has(type) === false) return { id: name, resources: new Map() }
  return build.memo.of(`group of ${name}`, [], () => {
    const resources = make()
    return { id: `${name} ${build.view.key}`, resources: new Map(resources.length === 0 ? [] : [[type, resources]]) }
  })
}

function present<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value]
}
