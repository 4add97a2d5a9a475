import type { CompiledCluster } from '../config/compiled.js'
import { formatAddress } from '../net/address.js'
import type { Endpoint, EndpointSet } from '../upstream/endpoint.js'
import { NO_ENDPOINTS } from '../upstream/endpoint-set.js'
import type { Walk } from './explain.js'
import { CLUSTER, ENDPOINT, type ExplainedResource, type ExplainedResult, type Loser } from './explanation.js'

export function explainCluster(
  walk: Walk,
  name: string,
  hash: bigint | undefined,
  metadataMatch: Readonly<Record<string, unknown>> | undefined,
): ExplainedResult {
  const { config, request, stages } = walk
  const cluster = config.clusters(name)
  if (cluster === undefined) {
    stages.push({ stage: 'cluster', name, outcome: 'stop', reason: 'there is no such cluster', losers: [] })
    return { kind: 'reply', status: 503, details: 'cluster_not_found' }
  }
  stages.push({ stage: 'cluster', name, outcome: 'chosen', losers: [], resource: { typeUrl: CLUSTER, name, path: '' } })
  if (cluster.discovery.kind === 'ORIGINAL_DST') return original(walk, cluster, cluster.discovery.port)
  const set = endpointsOf(walk, cluster)
  const deps = { random: request.random, activeRequests: () => 0, isHealthy: () => true }
  const endpoint = cluster.createPicker(set, deps).pick({ hash, metadataMatch })
  const resource = resourceOf(cluster)
  const losers = set.endpoints
    .filter((each) => each !== endpoint)
    .map((each) => ({ name: formatAddress(each.address), reason: lossReason(each, endpoint) }))
  if (endpoint === undefined) {
    stages.push({
      stage: 'endpoint',
      name: '',
      outcome: 'stop',
      reason: set.endpoints.length === 0 ? 'the cluster has no endpoints' : 'no endpoint is healthy',
      losers,
      resource,
    })
    return { kind: 'reply', status: 503, details: 'no_healthy_upstream' }
  }
  return chosen(walk, cluster, endpoint, losers, resource)
}

function chosen(
  { stages }: Walk,
  cluster: CompiledCluster,
  endpoint: Endpoint,
  losers: readonly Loser[],
  resource: ExplainedResource,
): ExplainedResult {
  const tls = cluster.tlsFor(endpoint) !== undefined
  stages.push({
    stage: 'endpoint',
    name: formatAddress(endpoint.address),
    outcome: 'chosen',
    reason: tls ? 'over TLS' : 'in plaintext',
    losers,
    resource,
  })
  return { kind: 'forward', cluster: cluster.name, endpoint: formatAddress(endpoint.address), tls }
}

function original(walk: Walk, cluster: CompiledCluster, port: number | undefined): ExplainedResult {
  const { destination } = walk.request.connection
  const address = { address: destination.address, port: port ?? destination.port }
  const locality = { region: '', zone: '', subZone: '' }
  const endpoint: Endpoint = { address, weight: 1, priority: 0, locality, health: 'UNKNOWN', metadata: {} }
  return chosen(walk, cluster, endpoint, [], { typeUrl: CLUSTER, name: cluster.name, path: '' })
}

function endpointsOf({ config }: Walk, { name, discovery }: CompiledCluster): EndpointSet {
  const known = config.endpoints(name)
  if (known !== undefined) return known
  return 'endpoints' in discovery ? discovery.endpoints : NO_ENDPOINTS
}

function resourceOf({ name, discovery }: CompiledCluster): ExplainedResource {
  return discovery.kind === 'EDS'
    ? { typeUrl: ENDPOINT, name: discovery.serviceName, path: '' }
    : { typeUrl: CLUSTER, name, path: 'load_assignment' }
}

function lossReason(endpoint: Endpoint, winner: Endpoint | undefined): string {
  if (endpoint.health === 'UNHEALTHY' || endpoint.health === 'DRAINING') return `its health is ${endpoint.health}`
  if (winner !== undefined && endpoint.priority > winner.priority)
    return `its priority is ${endpoint.priority}, and ${winner.priority} is enough`
  return 'it was not its turn'
}
