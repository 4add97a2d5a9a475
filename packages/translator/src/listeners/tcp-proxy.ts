import type {
  MeshService,
  PortProtocol,
  RouteDestination,
  ServicePort,
  TrafficPolicy,
  TunnelSettings,
} from '@heddle/config-model'
import type { Filter } from '@heddle/xds-types/envoy/config/listener/v3'
import type { Build } from '../build.js'
import type { MergedRule } from '../merged-rules.js'
import { defined, duration, typed } from '../message.js'
import { type ClusterName, hostWithPort, parseClusterName } from '../names.js'
import type { ListenerClass } from '../proxy-headers.js'
import { clusterOf } from '../routes/http-route.js'
import { accessLogs } from '../telemetry/access-log.js'
import { statNameOf } from '../telemetry/stat-names.js'
import { statsFilters } from '../telemetry/stats.js'

const TCP_PROXY = 'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy'
const MONGO_PROXY = 'envoy.extensions.filters.network.mongo_proxy.v3.MongoProxy'
const REDIS_PROXY = 'envoy.extensions.filters.network.redis_proxy.v3.RedisProxy'
const REDIS_TIMEOUT = '5s'
const MYSQL_PROXY = 'envoy.extensions.filters.network.mysql_proxy.v3.MySQLProxy'

/** Bytes to one cluster. */
export function tcpProxy(build: Build, listener: ListenerClass, cluster: string, extra: object = {}): Filter {
  return proxyFilter(build, listener, { stat_prefix: cluster, cluster, ...extra })
}

/** Bytes to one cluster, without a log line: for what nobody should call. */
export function silentTcpProxy(cluster: string): Filter {
  return { name: 'envoy.filters.network.tcp_proxy', typed_config: typed(TCP_PROXY, { stat_prefix: cluster, cluster }) }
}

/** The port of a listener, as patterns of names in statistics see it. */
export type ListenerPort = Pick<ServicePort, 'number' | 'name' | 'protocol'>

/** The filters of a TCP chain that are not for policy: metrics, protocol sniffers, then the proxy. */
export function tcpChain(build: Build, listener: ListenerClass, port: ListenerPort, cluster: string): Filter[] {
  const name = parseClusterName(cluster)
  const service = name === undefined ? undefined : build.view.serviceOf(name.host)
  const stat_prefix =
    name === undefined || service === undefined
      ? cluster
      : (statNameOf(build.mesh.outboundClusterStatName, service, port, name.subset) ?? cluster)
  const settings = name === undefined || service === undefined ? {} : routeSettings(build, name, service)
  return singleChain(build, listener, port.protocol, cluster, { stat_prefix, ...settings })
}

/** To one cluster, with settings of the proxy. */
export function singleChain(
  build: Build,
  listener: ListenerClass,
  protocol: PortProtocol,
  cluster: string,
  settings: { readonly stat_prefix: string },
): Filter[] {
  return [
    ...statsFilters(build, listener),
    ...protocolFilters(build, protocol, settings.stat_prefix, cluster, () => tcpProxy(build, listener, cluster, settings)),
  ]
}

/** The filters of a TCP or TLS rule: one cluster, or several by weight under the VirtualService's name. */
export function tcpRouteChain(
  build: Build,
  listener: ListenerClass,
  port: ListenerPort,
  routes: readonly RouteDestination[],
  owner: string,
  serviceOf: (host: string) => MeshService | undefined,
): Filter[] {
  const scope = { port: port.number, serviceOf }
  const [only] = routes
  if (routes.length === 1 && only !== undefined) return tcpChain(build, listener, port, clusterOf(scope, only.destination))
  const clusters = routes
    .filter((r) => (r.weight ?? 0) > 0)
    .map((r) => ({ name: clusterOf(scope, r.destination), weight: r.weight }))
  return [
    ...statsFilters(build, listener),
    ...protocolFilters(build, port.protocol, owner, clusters[0]?.name ?? '', () =>
      proxyFilter(build, listener, {
        stat_prefix: owner,
        weighted_clusters: { clusters },
        ...weightedSettings(build, scope, routes),
      }),
    ),
  ]
}

/** Node metadata IDLE_TIMEOUT. */
export function idleTimeoutOf(build: Build): string | undefined {
  const idle = build.proxy.metadata['IDLE_TIMEOUT']
  const seconds = typeof idle === 'string' ? /^(\d+)s$/.exec(idle)?.[1] : undefined
  return seconds === undefined ? undefined : duration(Number(seconds) * 1000)
}

function proxyFilter(build: Build, listener: ListenerClass, config: object): Filter {
  return {
    name: 'envoy.filters.network.tcp_proxy',
    typed_config: typed(TCP_PROXY, {
      access_log: accessLogs(build, listener, 'tcp'),
      idle_timeout: idleTimeoutOf(build),
      ...config,
    }),
  }
}

/** A filter that reads what a protocol says, before the bytes go on; that of Redis sends them on itself, to one cluster. */
export function protocolFilters(
  { features }: Build,
  protocol: PortProtocol,
  stat_prefix: string,
  cluster: string,
  proxy: () => Filter,
): Filter[] {
  if (protocol === 'REDIS' && features.redisFilter) {
    const config = {
      stat_prefix,
      latency_in_micros: true,
      settings: { op_timeout: REDIS_TIMEOUT },
      prefix_routes: { catch_all_route: { cluster } },
    }
    return [{ name: 'envoy.filters.network.redis_proxy', typed_config: typed(REDIS_PROXY, config) }]
  }
  if (protocol === 'MONGO' && features.mongoFilter)
    return [{ name: 'envoy.filters.network.mongo_proxy', typed_config: typed(MONGO_PROXY, { stat_prefix }) }, proxy()]
  if (protocol === 'MYSQL' && features.mysqlFilter)
    return [{ name: 'envoy.filters.network.mysql_proxy', typed_config: typed(MYSQL_PROXY, { stat_prefix }) }, proxy()]
  return [proxy()]
}

/** Connections inside an HTTP CONNECT or POST request to a forward proxy, whose cluster it is. */
function tunneling(tunnel: TunnelSettings | undefined): object {
  if (tunnel === undefined) return {}
  const hostname = hostWithPort(tunnel.targetHost, tunnel.targetPort)
  return { tunneling_config: { hostname, ...(tunnel.protocol === 'POST' ? { use_post: true } : {}) } }
}

/** What the DestinationRule says of connections to one cluster. */
function routeSettings(build: Build, name: ClusterName, service: MeshService): object {
  const rule = build.rules.of(service)
  if (rule === undefined) return {}
  const tunnel = name.subset === '' ? rule.trafficPolicy?.tunnel : subsetPolicy(rule, name.subset)?.tunnel
  return { ...connectionSettings(rule, name.subset), ...tunneling(tunnel) }
}

/** Of several clusters the first has the say, but not its subset: the settings are the listener's. */
function weightedSettings(
  build: Build,
  { serviceOf }: { serviceOf(host: string): MeshService | undefined },
  [first]: readonly RouteDestination[],
): object {
  const service = first === undefined ? undefined : serviceOf(first.destination.host)
  const rule = service === undefined ? undefined : build.rules.of(service)
  return { ...connectionSettings(rule, ''), ...tunneling(rule?.trafficPolicy?.tunnel) }
}

/** For the whole destination, never by port or subset; a connection has no hash but its source. */
export function connectionSettings(rule: MergedRule | undefined, subset: string): object {
  const tcp = rule?.trafficPolicy?.connectionPool?.tcp
  const balancer = subsetPolicy(rule, subset)?.loadBalancer ?? rule?.trafficPolicy?.loadBalancer
  return defined({
    hash_policy: balancer?.consistentHash?.useSourceIp === true ? [{ source_ip: {} }] : undefined,
    idle_timeout: tcp?.idleTimeout === undefined ? undefined : duration(tcp.idleTimeout),
    max_downstream_connection_duration:
      tcp?.maxConnectionDuration === undefined ? undefined : duration(tcp.maxConnectionDuration),
  })
}

function subsetPolicy(rule: MergedRule | undefined, subset: string): TrafficPolicy | undefined {
  return rule?.subsets.find((s) => s.subset.name === subset)?.subset.trafficPolicy
}
