import { type MeshService, type ServiceEndpoint, selects, type TrafficPolicy } from '@heddle/config-model'
import type { ClusterLoadAssignment, LbEndpoint, LocalityLbEndpoints } from '@heddle/xds-types/envoy/config/endpoint/v3'
import { parseAddress } from '../addresses.js'
import { CONNECT_ORIGINATE, tunnelsOut } from '../ambient/hbone.js'
import { ask } from '../ask.js'
import { type Build, endpointsOf } from '../build.js'
import { effectiveLbSetting, type LbSetting } from '../clusters/load-balancing.js'
import { type ClusterTarget, clusterNameOf } from '../clusters/target.js'
import { listOf } from '../families.js'
import { defined } from '../message.js'
import { hostWithPort } from '../names.js'
import { NO_ORIGINS, sourceOfKey } from '../provenance.js'
import { DEFAULT_CLUSTER, parseLocality } from '../proxy.js'
import { keepsDraining } from '../routes/persistent-session.js'
import { isEmpty } from '../selection.js'
import { isClusterLocal } from './cluster-local.js'
import { byRank, distribute, failoverPriorities, labelRank, placedLabels, regionPriorities } from './locality.js'
import { gatewaysInto, type NetworkGateway, networkGateways } from './network-gateways.js'
import { takesUnready } from './readiness.js'

/** The endpoints of a port and subset. Unready ones are told with their health; those about to end are left out, and those of other clusters of a cluster-local service. */
export function selectedEndpoints(target: ClusterTarget): readonly ServiceEndpoint[] {
  const { build, service, port, subset } = target
  const labels = subset?.subset.labels
  const all = endpointsOf(build, service, port.name)
  const { cluster } = build.proxy
  const local = all.some((e) => e.cluster !== cluster) && isClusterLocal(build.mesh, service.hostname, build.domainSuffix)
  // Who has a session with an endpoint that is about to end keeps it.
  const draining = keepsDraining(build, service)
  const unready = takesUnready(target)
  const { drainingLabel } = build.features
  return all.filter(
    (e) =>
      (draining || (e.health !== 'DRAINING' && !e.labels[drainingLabel])) &&
      (unready || e.health !== 'UNHEALTHY') &&
      selects(labels, e.labels) &&
      !(local && e.cluster !== cluster) &&
      !(service.nodeLocal === true && e.nodeName !== nodeNameOf(build)) &&
      (RESOLVING.has(service.resolution) || e.port === 0 || parseAddress(e.address) !== undefined),
  )
}

/** Only these resolve names of endpoints. */
const RESOLVING: ReadonlySet<MeshService['resolution']> = new Set(['DNSLB', 'DNSRoundRobinLB', 'DynamicDNS'])

/** Endpoints grouped by locality, with weights; priorities where locality load balancing has something to say. */
export function loadAssignment(target: ClusterTarget): ClusterLoadAssignment {
  const { build, service } = target
  const groups = new Map<string, ServiceEndpoint[]>()
  const near = nearnessOf(target)
  const rankOf = failoverRank(build, near)
  for (const endpoint of selectedEndpoints(target)) {
    const key = JSON.stringify([endpoint.locality, rankOf?.(endpoint) ?? 0])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [endpoint])
    else group.push(endpoint)
  }
  const keyed = [...groups].sort(([a], [b]) => (a < b ? -1 : 1))
  const localities = keyed.map(([, list]) => localityEndpoints(target, list[0]?.locality ?? '', sorted(list)))
  const placed =
    rankOf === undefined
      ? withLocality(build, localities, near)
      : byRank(
          localities,
          keyed.map(([, [e]]) => (e === undefined ? 0 : rankOf(e))),
        )
  const assignment: ClusterLoadAssignment = {
    cluster_name: clusterNameOf(target),
    ...(placed.length === 0 ? {} : { endpoints: placed }),
  }
  return build.origins === NO_ORIGINS ? assignment : build.origins.mark(assignment, sourceOfKey(service.source))
}

/** What decides on near and far here. Failover needs outlier detection, or traffic would never come back, unless it is asked for without. */
function nearnessOf({ build, service, policy }: ClusterTarget): Nearness | undefined {
  const setting = effectiveLbSetting(policy?.loadBalancer, service, build.mesh)
  if (setting === undefined) return undefined
  if (setting.kind === 'zone' && (build.proxy.type === 'waypoint' || setting.setting.enabled === false)) return undefined
  const outlier = policy?.outlierDetection ?? build.mesh.defaultTrafficPolicy?.outlierDetection
  return { ...setting, failing: setting.kind === 'zone' || setting.force || outlier !== undefined }
}

type Nearness = LbSetting & { readonly failing: boolean }

/** How far an endpoint is by the labels of `failoverPriority`; undefined where it does not decide. */
function failoverRank(build: Build, near: Nearness | undefined): ((endpoint: ServiceEndpoint) => number) | undefined {
  const labels = near?.setting.failoverPriority
  if (near === undefined || !near.failing || labels === undefined || labels.length === 0) return undefined
  if (near.kind === 'locality' && near.setting.distribute !== undefined) return undefined
  const { labels: given, locality, cluster, network } = build.proxy
  const own = placedLabels(given, locality, cluster, network, nodeNameOf(build))
  return (e) => labelRank(labels, own, placedLabels(e.labels, parseLocality(e.locality), e.cluster, e.network, e.nodeName))
}

/** Node metadata NODE_NAME. */
function nodeNameOf({ proxy }: Build): string {
  return ask(proxy, 'node name', ({ metadata }) => String(metadata['NODE_NAME'] ?? ''))
}

function sorted(endpoints: readonly ServiceEndpoint[]): ServiceEndpoint[] {
  if (endpoints.length < 2) return [...endpoints]
  const keyed = endpoints.map((endpoint) => ({ endpoint, key: `${endpoint.address} ${endpoint.port} ${endpoint.workloadName}` }))
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ endpoint }) => endpoint)
}

function localityEndpoints(target: ClusterTarget, locality: string, endpoints: readonly ServiceEndpoint[]): LocalityLbEndpoints {
  const { region, zone, subzone } = parseLocality(locality)
  const reached = reachable(target, endpoints)
  return {
    locality: defined({ region: region || undefined, zone: zone || undefined, sub_zone: subzone || undefined }),
    ...(reached.length === 0
      ? {}
      : {
          lb_endpoints: reached,
          load_balancing_weight: reached.reduce((sum, e) => sum + (e.load_balancing_weight ?? 0), 0),
        }),
  }
}

/** Endpoints of other networks stand behind their network's gateways, which pass mTLS on: one entry per gateway, with the weight of what is behind it. */
function reachable(target: ClusterTarget, endpoints: readonly ServiceEndpoint[]): LbEndpoint[] {
  const { build, sniDnat } = target
  const gateways = build.common.of('network gateways', [], () => networkGateways(build.snapshot, DEFAULT_CLUSTER))
  const direct: LbEndpoint[] = []
  const through = new Map<NetworkGateway, number>()
  for (const endpoint of endpoints) {
    const mutual = takesMutualTls(build, endpoint, tlsModeOf(target))
    // Who comes by SNI speaks mTLS already.
    if (sniDnat && !mutual) continue
    const weight = endpoint.weight * gateways.scale
    const { network } = endpoint
    const between = network === '' || network === build.proxy.network ? [] : gatewaysInto(gateways, network, endpoint.cluster)
    if (between.length === 0) direct.push(lbEndpoint(build, endpoint, mutual, weight))
    else if (mutual) for (const g of between) through.set(g, (through.get(g) ?? 0) + Math.floor(weight / between.length))
  }
  const behind = gateways.all.flatMap((gateway) => {
    const weight = through.get(gateway)
    return weight === undefined ? [] : [gatewayEndpoint(build, gateway, weight)]
  })
  return [...direct, ...behind]
}

function gatewayEndpoint({ features }: Build, { address, port, cluster }: NetworkGateway, weight: number): LbEndpoint {
  return {
    endpoint: { address: { socket_address: { address, port_value: port } } },
    load_balancing_weight: Math.max(weight, 1),
    metadata: {
      filter_metadata: {
        'envoy.transport_socket_match': { tlsMode: 'istio' },
        ...(features.endpointTelemetry ? { istio: { workload: `;;;;${cluster}` } } : {}),
      },
    },
  }
}

function withLocality(build: Build, localities: LocalityLbEndpoints[], near: Nearness | undefined): LocalityLbEndpoints[] {
  const { locality } = build.proxy
  if (near === undefined || locality.region === '') return localities
  if (near.kind === 'locality' && near.setting.distribute !== undefined)
    return near.setting.distribute.length > 0 ? distribute(localities, locality, near.setting.distribute) : localities
  if (!near.failing) return localities
  const { failover = [] } = near.setting
  return near.kind === 'zone'
    ? regionPriorities(localities, locality, failover)
    : failoverPriorities(localities, locality, failover)
}

function lbEndpoint(build: Build, endpoint: ServiceEndpoint, mutual: boolean, weight: number): LbEndpoint {
  const workload = [
    endpoint.workloadName,
    endpoint.namespace,
    canonicalName(endpoint),
    canonicalRevision(endpoint),
    endpoint.cluster,
  ].join(';')
  const tunnel =
    endpoint.hbone === true && tunnelsOut(build) && (!mutual || build.features.preferHbone || build.proxy.type === 'waypoint')
  const filter_metadata = {
    ...(tunnel ? tunnelMetadata(endpoint) : mutual ? { 'envoy.transport_socket_match': { tlsMode: 'istio' } } : {}),
    ...(build.features.endpointTelemetry ? { istio: { workload } } : {}),
  }
  const made: LbEndpoint = {
    endpoint: tunnel ? { address: tunnelAddress(endpoint) } : { address: address(endpoint), ...otherAddresses(build, endpoint) },
    ...healthOf(build, endpoint),
    load_balancing_weight: weight,
    metadata: isEmpty(filter_metadata) ? {} : { filter_metadata },
  }
  return build.origins === NO_ORIGINS ? made : build.origins.mark(made, sourceOfKey(endpoint.source))
}

function healthOf({ features }: Build, { labels, health, healthKnown }: ServiceEndpoint): Pick<LbEndpoint, 'health_status'> {
  if (labels[features.drainingLabel]) return { health_status: 'DRAINING' }
  return healthKnown ? { health_status: health } : {}
}

/** Into a tunnel: the listener that makes one reads where to from the endpoint's metadata. */
function tunnelAddress({ address, port }: ServiceEndpoint): NonNullable<NonNullable<LbEndpoint['endpoint']>['address']> {
  return { envoy_internal_address: { server_listener_name: CONNECT_ORIGINATE, endpoint_id: hostWithPort(address, port) } }
}

function tunnelMetadata({ address, port }: ServiceEndpoint): Record<string, Record<string, string>> {
  return {
    'envoy.filters.listener.original_dst': { local: hostWithPort(address, port) },
    'envoy.transport_socket_match': { tunnel: 'http' },
  }
}

/** Envoy tries them all at once (RFC 8305). */
function otherAddresses({ features }: Build, { podAddresses = [], port }: ServiceEndpoint): NonNullable<LbEndpoint['endpoint']> {
  return features.dualStack && podAddresses.length > 1 ? { additional_addresses: listOf(podAddresses.slice(1), port) } : {}
}

function address(endpoint: ServiceEndpoint): NonNullable<NonNullable<LbEndpoint['endpoint']>['address']> {
  if (endpoint.address.startsWith('unix://')) return { pipe: { path: endpoint.address.slice('unix://'.length) } }
  return { socket_address: { address: endpoint.address, port_value: endpoint.port } }
}

/** What a DestinationRule says of TLS to a port. Here, unlike for its cluster, a port's silence does not hide the destination's word. */
function tlsModeOf({ rule, subset, port }: ClusterTarget): string | undefined {
  const said = (policy: TrafficPolicy | undefined): string | undefined => {
    const level = policy?.portLevelSettings?.find((p) => p.port.number === port.number && p.tls !== undefined)
    return (level?.tls ?? policy?.tls)?.mode
  }
  return said(subset?.subset.trafficPolicy) ?? said(rule?.trafficPolicy)
}

/** Whether clients may speak mTLS to an endpoint: it has a proxy that does, and the DestinationRule says it, or else nothing in the workload's PeerAuthentication forbids it. */
function takesMutualTls(build: Build, endpoint: ServiceEndpoint, said: string | undefined): boolean {
  if (endpoint.tlsMode !== 'istio') return false
  if (said !== undefined) return said === 'ISTIO_MUTUAL'
  return build.peers.ofWorkload(endpoint.namespace, endpoint.labels).forPort(endpoint.port).mode !== 'DISABLE'
}

function canonicalName(endpoint: ServiceEndpoint): string {
  const { labels } = endpoint
  return labels['service.istio.io/canonical-name'] ?? labels['app.kubernetes.io/name'] ?? labels['app'] ?? endpoint.workloadName
}

function canonicalRevision({ labels }: ServiceEndpoint): string {
  return labels['service.istio.io/canonical-revision'] ?? labels['app.kubernetes.io/version'] ?? labels['version'] ?? ''
}
