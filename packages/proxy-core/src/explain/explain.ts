import type { Clock, Random } from '@heddle/runtime'
import type { CompiledCluster, CompiledFilterChain, CompiledListener } from '../config/compiled.js'
import { listenerFor } from '../config/listener-choice.js'
import { sniHostPort } from '../config/sni-forward.js'
import type { ConnectionFacts } from '../filters/listener/facts.js'
import { withGuardMetadata } from '../net/guard-metadata.js'
import type { RouteScopes } from '../route/scope.js'
import type { RequestHead, RouteTable } from '../route/table.js'
import type { EndpointSet } from '../upstream/endpoint.js'
import { type ExplainedResult, type ExplainedStage, type Explanation, LISTENER } from './explanation.js'
import { explainHttp } from './http.js'
import { explainCluster } from './upstream.js'

/** What is in force. Names lead from a listener to the rest, as on the data path. */
export interface ExplainConfig {
  readonly listeners: readonly CompiledListener[]
  /** By the name that RDS knows it by. */
  routes(name: string): RouteTable | undefined
  /** Of SRDS, by key; none by default. */
  readonly scopes?: RouteScopes
  clusters(name: string): CompiledCluster | undefined
  /** By cluster name; for STATIC clusters their own are taken. */
  endpoints(cluster: string): EndpointSet | undefined
}

export interface ExplainRequest {
  /** Absent: a bare TCP connection. */
  readonly head?: RequestHead
  readonly connection: ConnectionFacts
  /** A listener's name, where the address does not tell it. */
  readonly listener?: string
  /** The client after x-forwarded-for; the peer's address by default. */
  readonly client?: string
  readonly random: Random
  /** Tells whether tokens have expired; the system's by default. */
  readonly clock?: Clock
}

/** What every stage is given, and adds to. */
export interface Walk {
  readonly config: ExplainConfig
  readonly request: ExplainRequest
  readonly stages: ExplainedStage[]
}

/** The decision path of one request, on the matching code that the data path runs, without I/O. */
export function explain(config: ExplainConfig, request: ExplainRequest): Explanation {
  const walk: Walk = { config, request, stages: [] }
  const listener = explainListener(walk)
  if (!('name' in listener)) return { result: listener, stages: walk.stages, terminatesTls: false }
  const result = explainChain(walk, listener)
  return { result, stages: walk.stages, terminatesTls: listener.chainFor(request.connection)?.tls !== undefined }
}

function explainListener(walk: Walk): CompiledListener | ExplainedResult {
  const { config, request, stages } = walk
  const { destination } = request.connection
  const listener =
    request.listener === undefined
      ? listenerFor(config.listeners, destination)
      : config.listeners.find(({ name }) => name === request.listener)
  if (listener === undefined) {
    const reason = `no listener takes ${request.listener ?? `${destination.address}:${destination.port}`}`
    stages.push({ stage: 'listener', name: '', outcome: 'stop', reason, losers: [] })
    return { kind: 'close', reason }
  }
  stages.push({
    stage: 'listener',
    name: listener.name,
    outcome: 'chosen',
    losers: [],
    resource: { typeUrl: LISTENER, name: listener.name, path: '' },
  })
  return listener
}

function explainChain(walk: Walk, listener: CompiledListener): ExplainedResult {
  const { request, stages } = walk
  const chain = listener.chainFor(request.connection)
  const losers = listener
    .explainChains(request.connection)
    .map(({ chain: other, reason }) => ({ name: nameOf(listener, other), reason }))
  if (chain === undefined) {
    stages.push({ stage: 'filter_chain', name: '', outcome: 'stop', reason: 'no filter chain matches the connection', losers })
    return { kind: 'close', reason: 'filter_chain_not_found' }
  }
  const path = pathOf(listener, chain)
  const resource = { typeUrl: LISTENER, name: listener.name, path }
  stages.push({ stage: 'filter_chain', name: nameOf(listener, chain), outcome: 'chosen', losers, resource })
  for (const guard of chain.guards) {
    const allowed = guard.allow(request.connection)
    stages.push({
      stage: 'network_filter',
      name: guard.name,
      outcome: allowed ? 'pass' : 'stop',
      reason: guard.explain(request.connection),
      losers: [],
      resource,
    })
    if (!allowed) return { kind: 'close', reason: guard.name }
  }
  const metadata = withGuardMetadata(request.connection.metadata, chain, request.connection) ?? new Map()
  for (const authorizer of chain.authorizers)
    stages.push({
      ...{ stage: 'network_filter', name: authorizer.name, losers: [], resource },
      ...authorizer.explain(metadata),
    })
  const { terminal } = chain
  const own = { ...resource, path: `${path}.${terminal.path}` }
  if (terminal.kind === 'tcp_proxy') {
    stages.push({ stage: 'tcp_proxy', name: terminal.statPrefix, outcome: 'chosen', losers: [], resource: own })
    const { serverName } = request.connection
    const { cluster, metadataMatch } = terminal.target(request.random, serverName)
    const context = { hostPort: sniHostPort(terminal, serverName), metadataMatch }
    return explainCluster(walk, cluster, { context, notFoundStatus: 503 })
  }
  if (terminal.kind === 'direct_response') {
    const reason = 'every client is told the same, and the connection ends'
    stages.push({ stage: 'network_filter', name: terminal.statPrefix, outcome: 'stop', reason, losers: [], resource: own })
    return { kind: 'close', reason: terminal.statPrefix }
  }
  if (request.connection.transportProtocol === 'tls' && chain.tls === undefined) {
    const reason = 'the connection is TLS, and this filter chain takes HTTP in plaintext'
    stages.push({ stage: 'http_manager', name: terminal.statPrefix, outcome: 'stop', reason, losers: [], resource: own })
    return { kind: 'close', reason }
  }
  return explainHttp(walk, terminal, own)
}

/** Chains have names only where somebody gave them one. */
function nameOf(listener: CompiledListener, chain: CompiledFilterChain): string {
  return chain.name === '' ? pathOf(listener, chain) : chain.name
}

function pathOf(listener: CompiledListener, chain: CompiledFilterChain): string {
  const index = listener.filterChains.indexOf(chain)
  return index < 0 ? 'default_filter_chain' : `filter_chains[${index}]`
}
