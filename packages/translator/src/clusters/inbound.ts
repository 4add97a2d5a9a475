import {
  type ConnectionPoolSettings,
  type IstioIngressListener,
  isHttp,
  type MeshService,
  type TrafficPolicy,
} from '@heddle/config-model'
import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { Build } from '../build.js'
import { policyForPort } from '../destination-rules.js'
import { familiesOf, inFamily } from '../families.js'
import { LOOPBACK, socketAddress } from '../listeners/binding.js'
import { type InboundPort, inboundPorts } from '../listeners/inbound-port.js'
import { configPath } from '../message.js'
import { hostWithPort } from '../names.js'
import { isHttp2 } from '../protocol.js'
import type { ServiceTarget } from '../service-targets.js'
import { statNameOf } from '../telemetry/stat-names.js'
import { inboundSource } from './builtin.js'
import { applyConnectionPool } from './connection-pool.js'
import { draft, finish } from './draft.js'

/** Addresses of redirected connections are kept for ever: Envoy's largest duration. */
const KEEP_FOREVER = '9223372035s'

/** To the application: one cluster per port that the workload serves. */
export function inboundClusters(build: Build, targets: readonly ServiceTarget[]): Cluster[] {
  return inboundPorts(build, targets).map((port) => clusterOf(build, port, targets))
}

function clusterOf(build: Build, port: InboundPort, targets: readonly ServiceTarget[]): Cluster {
  const ingress = build.view.sidecar?.spec.ingress?.find(
    (l) => l.port.number === port.targetPort && port.sources[0]?.kind === 'Sidecar',
  )
  const local = ingress === undefined && build.mesh.inboundTrafficPolicy.mode === 'LOCALHOST'
  const endpoint = local ? hostWithPort(inFamily(build, LOOPBACK), port.targetPort) : ingress?.defaultEndpoint
  const fixed = endpoint !== undefined && endpoint !== ''
  const stat = ingress === undefined ? port.statName : ingressStatName(build, port, targets)
  const made = draft(port.cluster, fixed ? 'STATIC' : 'ORIGINAL_DST', build.mesh.connectTimeout, stat)
  const { cluster } = made
  cluster.common_lb_config = {}
  const address = fixed ? endpointAddress(build, endpoint) : undefined
  if (address !== undefined)
    cluster.load_assignment = { cluster_name: port.cluster, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] }
  else {
    cluster.lb_policy = 'CLUSTER_PROVIDED'
    cluster.cleanup_interval = KEEP_FOREVER
  }
  if (address === undefined || !isLoopback(address)) cluster.upstream_bind_config = inboundSource(build)
  const services = targets.filter((t) => t.targetPort === port.targetPort)
  const [first] = services
  // Nobody in the mesh calls a service from outside of it by itself.
  if (first !== undefined && !first.service.meshExternal) {
    const { service } = first
    const rule = servedRule(build, service)
    const telemetry = build.features.clusterTelemetry
    if (telemetry && rule?.sources[0] !== undefined && rule.trafficPolicy !== undefined)
      made.istio['config'] = configPath(rule.sources[0])
    if (telemetry) made.istio['services'] = servicesOn(first, ingress === undefined ? services : [first])
  }
  if (isHttp2(port.protocol)) made.http.protocol = 'http2'
  else if (port.protocol === 'Unsupported') made.http.protocol = 'downstream'
  if (preservesCase(build, port, made.http.protocol)) made.http.preserveCase = true
  const policy = policyOf(build, first)
  applyConnectionPool(made, poolOf(build, ingress, policy), build, policy?.retryBudget)
  const finished = finish(made)
  for (const source of port.sources) build.origins.mark(finished, source)
  return finished
}

/** All that clients call by the port of the first, each once. */
function servicesOn({ port }: ServiceTarget, targets: readonly ServiceTarget[]): readonly object[] {
  const called = targets.filter((t) => t.port.number === port.number).map(({ service }) => service)
  const hosts = new Map(called.map((service) => [service.hostname, service]))
  return [...hosts.values()].map(({ hostname, name, namespace, registry }) => ({
    host: hostname,
    name: registry === 'External' ? hostname : name,
    namespace,
  }))
}

/** That of the service behind the listener, if there is one. */
function ingressStatName(build: Build, port: InboundPort, targets: readonly ServiceTarget[]): string | undefined {
  const behind = targets.find((t) => t.targetPort === port.targetPort)?.service
  const named = { number: port.port, name: port.portName }
  return behind === undefined ? port.statName : statNameOf(build.mesh.inboundClusterStatName, behind, named)
}

const LOOPBACK_V6 = '::1'

function isLoopback(address: ReturnType<typeof socketAddress>): boolean {
  return 'socket_address' in address && [LOOPBACK, LOOPBACK_V6].includes(address.socket_address.address)
}

function preservesCase(build: Build, { protocol }: InboundPort, spoken: string | undefined): boolean {
  if (build.proxyConfig.proxyHeaders?.preserveHttp1HeaderCase !== true) return false
  return spoken === 'downstream' || (isHttp(protocol) && spoken !== 'http2')
}

/** Of the ingress listener, of the Sidecar, of a DestinationRule for the workload's own service, or of the mesh. */
function poolOf(
  build: Build,
  ingress: IstioIngressListener | undefined,
  policy: TrafficPolicy | undefined,
): ConnectionPoolSettings | undefined {
  const sidecar = ingress?.connectionPool ?? build.view.sidecar?.spec.inboundConnectionPool
  return sidecar ?? policy?.connectionPool ?? build.mesh.defaultTrafficPolicy?.connectionPool
}

/** The rule for the workload's own service, where its Sidecar imports that service. */
function servedRule(build: Build, service: MeshService): ReturnType<Build['rules']['ofServed']> {
  const imported = build.view.sidecar === undefined || build.view.serviceOf(service.hostname) !== undefined
  return imported ? build.rules.ofServed(service) : undefined
}

function policyOf(build: Build, target: ServiceTarget | undefined): TrafficPolicy | undefined {
  return target === undefined ? undefined : policyForPort(servedRule(build, target.service)?.trafficPolicy, target.port)
}

/** `127.0.0.1:PORT` is the loopback, `0.0.0.0:PORT` the instance's own address, both in a family that it has; `unix:///path` is a socket. */
function endpointAddress(build: Build, endpoint: string): ReturnType<typeof socketAddress> {
  if (endpoint.startsWith('unix://')) return socketAddress(endpoint, 0)
  const colon = endpoint.lastIndexOf(':')
  const host = endpoint.slice(0, colon).replace(/^\[|\]$/g, '')
  return socketAddress(instanceAddress(build, host), Number(endpoint.slice(colon + 1)))
}

function instanceAddress(build: Build, host: string): string {
  const { addresses } = build.proxy
  const families = familiesOf(build)
  if (host === '0.0.0.0') return addresses.find((a) => !a.includes(':')) ?? LOOPBACK
  if (host === '::') return addresses.find((a) => a.includes(':')) ?? LOOPBACK_V6
  if (host === LOOPBACK) return families === 'IPv6' ? LOOPBACK_V6 : LOOPBACK
  if (host === LOOPBACK_V6) return families === 'IPv4' ? LOOPBACK : LOOPBACK_V6
  return host
}
