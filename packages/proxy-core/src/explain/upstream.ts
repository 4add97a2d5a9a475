import type { CompiledCluster } from '../config/compiled.js'
import { formatAddress } from '../net/address.js'
import type { ClusterWeight } from '../route/table.js'
import { dynamicEndpoint, endpointAt, isDynamic, type ResolvedHosts, splitHostPort } from '../upstream/dynamic-hosts.js'
import type { Endpoint, EndpointSet } from '../upstream/endpoint.js'
import { NO_ENDPOINTS } from '../upstream/endpoint-set.js'
import type { PickContext } from '../upstream/load-balancer.js'
import type { Walk } from './explain.js'
import { CLUSTER, ENDPOINT, type ExplainedResource, type ExplainedResult, type Loser } from './explanation.js'

/** What a route says of the choice of an endpoint; of TCP nothing. */
export interface ClusterQuestion {
  readonly context: PickContext
  /** Of a cluster that is not there. */
  readonly notFoundStatus: number
  /** Of weighted clusters. */
  readonly weights?: readonly ClusterWeight[]
}

/** Which weight won, and which lost. */
function oddsOf(name: string, weights: readonly ClusterWeight[]): { reason?: string; losers: Loser[] } {
  const total = weights.reduce((sum, { weight }) => sum + weight, 0)
  const won = weights.find(({ cluster }) => cluster === name)
  const losers = weights
    .filter((one) => one !== won)
    .map(({ cluster, weight }) => ({
      name: cluster,
      reason: `weight ${weight} of ${total}${weight === 0 ? '' : ', not drawn this time'}`,
      resource: { typeUrl: CLUSTER, name: cluster, path: '' },
    }))
  return { losers, ...(won !== undefined && { reason: `weight ${won.weight} of ${total}` }) }
}

export function explainCluster(walk: Walk, name: string, question: ClusterQuestion): ExplainedResult {
  const { config, request, stages } = walk
  const odds = oddsOf(name, question.weights ?? [])
  const cluster = config.clusters(name)
  if (cluster === undefined) {
    stages.push({ stage: 'cluster', name, outcome: 'stop', reason: 'there is no such cluster', losers: odds.losers })
    return { kind: 'reply', status: question.notFoundStatus, details: 'cluster_not_found' }
  }
  stages.push({ stage: 'cluster', name, outcome: 'chosen', ...odds, resource: { typeUrl: CLUSTER, name, path: '' } })
  if (cluster.discovery.kind === 'AGGREGATE') return explainAggregate(walk, cluster, cluster.discovery.clusters, question)
  if (isDynamic(cluster)) return explainDynamic(walk, cluster, question)
  const set = endpointsOf(walk, cluster)
  const deps = { random: request.random, activeRequests: () => 0, isHealthy: () => true }
  const endpoint = cluster.createPicker(set, deps).pick(question.context)
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

/** The first of its clusters that has anybody: explain knows of no checks, so all are well. */
function explainAggregate(
  walk: Walk,
  { name }: CompiledCluster,
  members: readonly string[],
  question: ClusterQuestion,
): ExplainedResult {
  const member = members.find((each) => {
    const cluster = walk.config.clusters(each)
    return cluster !== undefined && endpointsOf(walk, cluster).endpoints.length > 0
  })
  if (member !== undefined) return explainCluster(walk, member, { ...question, weights: [] })
  const resource = { typeUrl: CLUSTER, name, path: '' }
  walk.stages.push({
    stage: 'endpoint',
    name: '',
    outcome: 'stop',
    reason: 'none of its clusters has endpoints',
    losers: [],
    resource,
  })
  return { kind: 'reply', status: 503, details: 'no_healthy_upstream' }
}

/** Nobody is asked for addresses here: names stand for themselves. */
const UNRESOLVED: ResolvedHosts = { get: (hostPort) => endpointAt(splitHostPort(hostPort), hostPort) }

function explainDynamic(walk: Walk, cluster: CompiledCluster, { context }: ClusterQuestion): ExplainedResult {
  const resource = { typeUrl: CLUSTER, name: cluster.name, path: '' }
  const endpoint = dynamicEndpoint(cluster, context, walk.request.connection.destination, UNRESOLVED)
  if (endpoint !== undefined) return chosen(walk, cluster, endpoint, [], resource)
  const reason = 'the request names no address that is known'
  walk.stages.push({ stage: 'endpoint', name: '', outcome: 'stop', reason, losers: [], resource })
  return { kind: 'reply', status: 503, details: 'no_healthy_upstream' }
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
