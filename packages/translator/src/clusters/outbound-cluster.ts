import { isHttp, type ServicePort, type TrafficPolicy } from '@heddle/config-model'
import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import { internalSocket } from '../ambient/hbone.js'
import { type Build, endpointsOf, portSource } from '../build.js'
import { alwaysSendsUnready } from '../endpoints/readiness.js'
import { applyHealthCheck, healthCheckSource } from '../extensions/health-check.js'
import { configPath } from '../message.js'
import { sniOfCluster } from '../names.js'
import { exchangeFilters, exchangesMetadata } from '../peer-exchange.js'
import { isHttp2 } from '../protocol.js'
import { NO_ORIGINS, sourceOf } from '../provenance.js'
import { asksForSessions } from '../routes/persistent-session.js'
import { isEmpty } from '../selection.js'
import { outboundStatName } from '../telemetry/stat-names.js'
import { applyConnectionPool } from './connection-pool.js'
import { applyDiscovery, discoveryType } from './discovery.js'
import { type ClusterDraft, draft, finish } from './draft.js'
import { identitiesOf } from './identities.js'
import { applyLoadBalancer, effectiveLbSetting } from './load-balancing.js'
import { applyOutlierDetection } from './outlier-detection.js'
import { markPolicy } from './policy-sources.js'
import { applyProxyProtocol } from './proxy-protocol.js'
import { type ClusterTarget, clusterNameOf } from './target.js'
import { applyUpstreamTls, applyUserTls, markUserTls, type UpstreamTls } from './upstream-tls.js'

/** The cluster of a target; undefined where a DNS service or subset has no endpoint to resolve. */
export function outboundClusterOf(target: ClusterTarget): Cluster | undefined {
  const { build, port, policy } = target
  const { mesh } = build
  const made = draft(
    clusterNameOf(target),
    discoveryType(target),
    mesh.connectTimeout,
    target.vip === undefined ? outboundStatName(target) : undefined,
  )
  if (!applyDiscovery(target, made)) return undefined
  describe(target, made)
  if (isHttp2(port.protocol)) made.http.protocol = 'http2'
  else if (port.protocol === 'Unsupported' && build.proxy.type === 'sidecar') made.http.protocol = 'downstream'
  const defaults = mesh.defaultTrafficPolicy
  applyConnectionPool(made, policy?.connectionPool ?? defaults?.connectionPool, build, policy?.retryBudget)
  if (upgradesToHttp2(build, port, policy)) made.http.protocol = 'http2'
  const mayBeHttp = port.protocol === 'Unsupported' || isHttp(port.protocol)
  const speaksHttp1 = made.http.protocol === 'downstream' || (mayBeHttp && made.http.protocol !== 'http2')
  if (speaksHttp1 && build.proxyConfig.proxyHeaders?.preserveHttp1HeaderCase === true) made.http.preserveCase = true
  const panics = !alwaysSendsUnready(build.features, target.service)
  applyOutlierDetection(made, policy?.outlierDetection ?? defaults?.outlierDetection, panics)
  const near = effectiveLbSetting(policy?.loadBalancer, target.service, mesh)
  applyLoadBalancer(build, made, policy?.loadBalancer, near, port)
  if (target.vip !== undefined) applyWaypointSocket(target, made)
  else if (target.sniDnat) markUserTls(made, policy?.tls)
  else {
    applyTls(target, made)
    applyProxyProtocol(made, policy?.proxyProtocol)
  }
  applyHealthCheck(target, made)
  if (asksForSessions(build, target.service)) keepHosts(made)
  if (target.vip === undefined && exchangesMetadata(build)) made.cluster.filters = exchangeFilters(build)
  return mark(target, finish(made))
}

function applyTls(target: ClusterTarget, made: ClusterDraft): void {
  applyUpstreamTls(target.build, made, tlsOf(target))
}

function tlsOf(target: ClusterTarget): UpstreamTls {
  const { build, service, port, policy, subset, rule } = target
  return {
    service,
    settings: policy?.tls,
    selected: !isEmpty(rule?.sources[0]?.spec.workloadSelector?.matchLabels),
    identities: identitiesOf(build, service),
    meshSni: sniOfCluster(port.number, subset?.subset.name ?? '', service.hostname),
    serverMode: serverMode(target),
  }
}

/** To the workloads of a service behind a waypoint: into a tunnel where they take one, TLS that the rule asks for inside it. */
function applyWaypointSocket(target: ClusterTarget, made: ClusterDraft): void {
  applyUserTls(target.build, made, tlsOf(target))
  applyProxyProtocol(made, target.policy?.proxyProtocol)
  const { transport_socket: inner } = made.cluster
  made.cluster.transport_socket = internalSocket('internal_upstream', inner, [
    ['host', 'envoy.filters.listener.original_dst'],
    ['host', 'istio'],
  ])
}

function vipSubset({ vip = 'http', subset }: ClusterTarget): string {
  return subset === undefined ? vip : `${vip}/${subset.subset.name}`
}

/** A client stays with an endpoint that is about to end, too. */
function keepHosts({ cluster }: ClusterDraft): void {
  cluster.common_lb_config = {
    ...cluster.common_lb_config,
    override_host_status: { statuses: ['HEALTHY', 'DRAINING', 'UNKNOWN', 'DEGRADED'] },
  }
}

/** Every endpoint stands behind an L4 proxy, which exchanges no metadata. */
function onlyTunnels({ build, service, port }: ClusterTarget): boolean {
  if (!build.features.ambient) return false
  const endpoints = endpointsOf(build, service, port.name)
  return endpoints.length > 0 && endpoints.every(({ hbone }) => hbone === true)
}

/** What filters and telemetry read: the service behind the cluster and the rule that shaped it. */
function describe(target: ClusterTarget, made: ClusterDraft): void {
  const { build, service, rule, subset } = target
  const [first] = rule?.sources ?? []
  const { hostname: host, namespace } = service
  const { istio } = made
  if (first !== undefined) istio['config'] = configPath(first)
  // Istio leaves it out of subsets.
  if (subset === undefined && onlyTunnels(target)) istio['disable_mx'] = true
  else if (service.meshExternal && subset === undefined) istio['external'] = true
  const told = build.features.clusterTelemetry || target.vip !== undefined
  if (told && service.resolution !== 'DynamicDNS')
    istio['services'] = [{ host, name: service.registry === 'External' ? host : service.name, namespace }]
  const name = target.vip === undefined ? subset?.subset.name : vipSubset(target)
  if (name !== undefined) istio['subset'] = name
}

function upgradesToHttp2(build: Build, port: ServicePort, policy: TrafficPolicy | undefined): boolean {
  switch (policy?.connectionPool?.http?.h2UpgradePolicy) {
    case 'UPGRADE':
      return true
    case 'DO_NOT_UPGRADE':
      return false
    default:
      return build.mesh.h2UpgradePolicy === 'UPGRADE' && isHttp(port.protocol)
  }
}

/** Clients know PeerAuthentication only by namespace; where they bypass the load balancer they look at every endpoint. */
function serverMode({ build, service, port, policy }: ClusterTarget): 'DISABLE' | 'PERMISSIVE' | 'STRICT' | 'unknown' {
  if (service.meshExternal) return 'unknown'
  if (service.resolution === 'Passthrough' || policy?.loadBalancer?.simple === 'PASSTHROUGH') {
    const endpoints = endpointsOf(build, service, port.name)
    if (endpoints.length === 0 || endpoints.some((e) => e.tlsMode !== 'istio')) return 'DISABLE'
  }
  return build.peers.ofNamespace(service.namespace)
}

function mark(target: ClusterTarget, cluster: Cluster): Cluster {
  const { build, service, port, rule, subset } = target
  const { origins } = build
  if (origins === NO_ORIGINS) return cluster
  markPolicy(target, cluster)
  const checks = cluster.health_checks === undefined ? undefined : healthCheckSource(target)
  if (checks !== undefined) origins.mark(cluster, checks, 'health_checks')
  if (subset !== undefined) origins.mark(cluster, sourceOf(subset.source, subset.path))
  origins.mark(cluster, portSource(build, service, port))
  for (const source of rule?.sources ?? []) {
    if (source.spec.trafficPolicy !== undefined) origins.mark(cluster, sourceOf(source, 'spec.trafficPolicy'))
  }
  return cluster
}
