import type { MeshService, ServicePort, TrafficPolicy } from '@heddle/config-model'
import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { ClusterLoadAssignment } from '@heddle/xds-types/envoy/config/endpoint/v3'
import { type Build, endpointsOf } from '../build.js'
import { type MergedRule, type MergedSubset, policyForPort, policyOfSubset } from '../destination-rules.js'
import { loadAssignment, selectedEndpoints } from '../endpoints/load-assignment.js'
import { ADS_SOURCE, configPath, defined, duration, type TypedMessage, typed } from '../message.js'
import { outboundCluster, sniOfCluster } from '../names.js'
import { isHttp, isHttp2 } from '../protocol.js'
import { sourceOf, sourceOfKey } from '../provenance.js'
import { isEmpty } from '../selection.js'
import { applyConnectionPool } from './connection-pool.js'
import { type ClusterDraft, draft, finish } from './draft.js'
import { identitiesOf } from './identities.js'
import { applyLoadBalancer } from './load-balancing.js'
import { applyOutlierDetection } from './outlier-detection.js'
import { applyUpstreamTls } from './upstream-tls.js'

/** The clusters of what a proxy calls and the endpoints of those that get them by EDS. */
export interface OutboundClusters {
  readonly clusters: readonly Cluster[]
  readonly endpoints: readonly ClusterLoadAssignment[]
}

/** One cluster per service, port and subset that the proxy sees, referenced or not. */
export function outboundClusters(build: Build): OutboundClusters {
  const clusters: Cluster[] = []
  const endpoints: ClusterLoadAssignment[] = []
  const add = (
    cluster: Cluster | undefined,
    service: MeshService,
    port: ServicePort,
    subset: MergedSubset | undefined,
    policy: TrafficPolicy | undefined,
  ): void => {
    if (cluster === undefined) return
    clusters.push(cluster)
    if (cluster.type === 'EDS') endpoints.push(loadAssignment(build, service, port, subset?.subset, policy))
  }
  for (const service of build.view.services) {
    if (service.resolution === 'Alias') continue
    const rule = build.rules.of(service)
    for (const port of service.ports) {
      if (port.protocol === 'UDP') continue
      const policy = policyForPort(rule?.trafficPolicy, port)
      add(clusterOf(build, service, port, rule, undefined, policy), service, port, undefined, policy)
      for (const subset of rule?.subsets ?? []) {
        if (isEmpty(subset.subset.labels) && subset.subset.trafficPolicy === undefined && service.resolution === 'Passthrough')
          continue
        const subsetPolicy = policyOfSubset(rule?.trafficPolicy, subset.subset.trafficPolicy, port)
        add(clusterOf(build, service, port, rule, subset, subsetPolicy), service, port, subset, subsetPolicy)
      }
    }
  }
  return { clusters, endpoints }
}

function clusterOf(
  build: Build,
  service: MeshService,
  port: ServicePort,
  rule: MergedRule | undefined,
  subset: MergedSubset | undefined,
  policy: TrafficPolicy | undefined,
): Cluster | undefined {
  const name = subset?.subset.name ?? ''
  const type = discoveryType(build, service)
  const made = draft(outboundCluster(port.number, name, service.hostname), type, build.mesh.connectTimeout)
  if (!applyDiscovery(build, made, service, port, subset, policy)) return undefined
  describe(build, made, service, rule, subset)
  if (isHttp2(port.protocol)) made.http.protocol = 'http2'
  else if (port.protocol === 'Unsupported' && build.proxy.type !== 'router') made.http.protocol = 'downstream'
  const defaults = build.mesh.defaultTrafficPolicy
  applyConnectionPool(made, policy?.connectionPool ?? defaults?.connectionPool, build.mesh, policy?.retryBudget)
  if (upgradesToHttp2(build, port, policy)) made.http.protocol = 'http2'
  applyOutlierDetection(made, policy?.outlierDetection ?? defaults?.outlierDetection)
  applyLoadBalancer(made, policy?.loadBalancer, build.mesh)
  applyUpstreamTls(build, made, {
    service,
    settings: policy?.tls,
    identities: identitiesOf(build, service),
    meshSni: sniOfCluster(port.number, name, service.hostname),
    serverMode: serverMode(build, service, port, policy),
  })
  if (!build.proxy.stockEnvoy) made.cluster.filters = [METADATA_EXCHANGE]
  return mark(build, finish(made), service, port, rule, subset)
}

/** Peers on TCP tell each other who they are by a filter on both sides. */
export const METADATA_EXCHANGE: { readonly name: string; readonly typed_config: TypedMessage } = {
  name: 'istio.metadata_exchange',
  typed_config: typed('udpa.type.v1.TypedStruct', {
    type_url: 'type.googleapis.com/envoy.tcp.metadataexchange.config.MetadataExchange',
    value: { enable_discovery: true, protocol: 'istio-peer-exchange' },
  }),
}

type DiscoveryType = NonNullable<Cluster['type']>

function discoveryType(build: Build, service: MeshService): DiscoveryType {
  switch (service.resolution) {
    case 'DNSLB':
      return 'STRICT_DNS'
    case 'DNSRoundRobinLB':
      return 'LOGICAL_DNS'
    case 'Passthrough':
      // A gateway has no original destination to pass through to.
      return build.proxy.type === 'router' ? 'EDS' : 'ORIGINAL_DST'
    default:
      return 'EDS'
  }
}

/** Says where the endpoints come from. False: there is nothing to resolve, and no cluster. */
function applyDiscovery(
  build: Build,
  made: ClusterDraft,
  service: MeshService,
  port: ServicePort,
  subset: MergedSubset | undefined,
  policy: TrafficPolicy | undefined,
): boolean {
  const { cluster } = made
  cluster.common_lb_config = { healthy_panic_threshold: {} }
  if (cluster.type === 'EDS') {
    cluster.eds_cluster_config = { eds_config: ADS_SOURCE, service_name: cluster.name }
    return true
  }
  if (cluster.type === 'ORIGINAL_DST') return true
  if (selectedEndpoints(build, service, port, subset?.subset).length === 0) return false
  cluster.load_assignment = loadAssignment(build, service, port, subset?.subset, policy)
  cluster.dns_lookup_family = 'V4_ONLY'
  cluster.dns_refresh_rate = duration(build.mesh.dnsRefreshRate)
  Object.assign(cluster, { dns_jitter: '0.1s' })
  cluster.respect_dns_ttl = true
  cluster.typed_dns_resolver_config = {
    name: 'envoy.network.dns_resolver.cares',
    typed_config: typed('envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig', { udp_max_queries: 100 }),
  }
  return true
}

/** What filters and telemetry read: the service behind the cluster and the rule that shaped it. */
function describe(
  _build: Build,
  made: ClusterDraft,
  service: MeshService,
  rule: MergedRule | undefined,
  subset: MergedSubset | undefined,
): void {
  const first = rule?.sources[0]
  Object.assign(
    made.istio,
    defined({
      config: first === undefined ? undefined : configPath(first),
      external: service.meshExternal ? true : undefined,
      services: [
        {
          host: service.hostname,
          name: service.registry === 'External' ? service.hostname : service.name,
          namespace: service.namespace,
        },
      ],
      subset: subset?.subset.name,
    }),
  )
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
function serverMode(
  build: Build,
  service: MeshService,
  port: ServicePort,
  policy: TrafficPolicy | undefined,
): 'DISABLE' | 'PERMISSIVE' | 'STRICT' | 'unknown' {
  if (service.meshExternal) return 'unknown'
  if (service.resolution === 'Passthrough' || policy?.loadBalancer?.simple === 'PASSTHROUGH') {
    const endpoints = endpointsOf(build, service, port.name)
    if (endpoints.length === 0 || endpoints.some((e) => e.tlsMode !== 'istio')) return 'DISABLE'
  }
  return build.peers.ofNamespace(service.namespace)
}

function mark(
  build: Build,
  cluster: Cluster,
  service: MeshService,
  port: ServicePort,
  rule: MergedRule | undefined,
  subset: MergedSubset | undefined,
): Cluster {
  const { origins } = build
  if (subset !== undefined) origins.mark(cluster, sourceOf(subset.source, subset.path))
  origins.mark(cluster, sourceOfKey(service.source, portPath(service, port)))
  for (const source of rule?.sources ?? []) {
    if (source.spec.trafficPolicy !== undefined) origins.mark(cluster, sourceOf(source, 'spec.trafficPolicy'))
  }
  return cluster
}

/** `spec.ports[1]` of the Service or ServiceEntry that has the port. */
export function portPath(service: MeshService, port: ServicePort): string {
  const at = service.ports.findIndex((p) => p.number === port.number)
  return at < 0 ? 'spec' : `spec.ports[${at}]`
}
