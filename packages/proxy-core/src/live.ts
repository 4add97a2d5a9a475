import { type Clock, createWatch, type Logger, type MetricsRegistry, type Random, type Watch } from '@heddle/runtime'
import type { CompiledListener, HttpManager } from './config/compiled.js'
import type { TracingProvider } from './config/tracing-provider.js'
import { createDirectResponse } from './filters/network/direct-response.js'
import { createTcpProxy } from './filters/network/tcp-proxy.js'
import type { Codecs } from './http/auto.js'
import type { FilterDeps } from './http/filter.js'
import { createHttpConnectionManager } from './http/manager.js'
import { ownAddress } from './net/address.js'
import type { SocketAddress } from './net/connection.js'
import type { Lookup } from './net/dns.js'
import { createListenerSession, type ListenerSession } from './net/listener.js'
import type { Network } from './net/network.js'
import type { Terminal } from './net/terminal.js'
import { createTimers } from './net/timers.js'
import type { Tls } from './net/tls.js'
import { createGreetings } from './observe/peer/greeting.js'
import { createProxyProtocolStats } from './observe/proxy-protocol-stats.js'
import { createClusterStats, createHttpStats, createListenerStats, createTcpStats } from './observe/stats.js'
import { createHttpTracing, type HttpTracing } from './observe/tracing/request-trace.js'
import { createTracers } from './observe/tracing/tracers.js'
import { createVirtualHostStats } from './observe/virtual-host-stats.js'
import { demandRoute, type RouteDemand } from './route/demand.js'
import { NO_SCOPES, type RouteScopes, scopeOf, tableOfScope } from './route/scope.js'
import type { RequestHead, RouteTable } from './route/table.js'
import { createRouter } from './router/router.js'
import type { Runtime } from './runtime.js'
import { type ClusterManager, createClusterManager } from './upstream/cluster-manager.js'
import { createDns } from './upstream/dns.js'
import { createDnsCaches } from './upstream/dns-cache.js'
import { createGrpcClient, type GrpcClient } from './upstream/grpc-client.js'
import { createHttpClient, type HttpClient } from './upstream/http-client.js'

export interface LiveOptions {
  network: Network
  tls: Tls
  lookup: Lookup
  clock: Clock
  random: Random
  logger: Logger
  stats: MetricsRegistry
  node: FilterDeps['node']
  runtime?: Runtime
  /** locality.zone of the node. */
  zone?: string
  /** Who gets the spans of managers that name nobody: `tracing` of the bootstrap. */
  tracingProvider?: TracingProvider
  /** False once `/healthcheck/fail` was asked for. */
  healthy?(): boolean
  /** The route table of an RDS name. */
  routes(name: string): Watch<RouteTable | undefined>
  /** Of SRDS. */
  scopes?: Watch<RouteScopes>
  /** Who gets what requests lack. */
  demand?: RouteDemand
  /** Who reads and writes HTTP; our own by default. */
  codecs?: Codecs
  /** See ListenerSessionOptions. */
  sessionAt?(address: SocketAddress): ListenerSession | undefined
}

/** The live path: socket, listener filters, filter chain, TLS, HTTP manager, filters, router, cluster, pool. */
export interface LivePath {
  readonly clusters: ClusterManager
  /** What the proxy makes calls of its own with. */
  readonly http: HttpClient
  grpc(cluster: string): GrpcClient
  /** Spans that wait are sent, or lost. */
  flush(): Promise<void>
  /** Serves connections of one listener. */
  start(listener: CompiledListener): ListenerSession
}

export function createLivePath(options: LiveOptions): LivePath {
  const { clock, random, logger, stats, tls, network } = options
  const codecs = options.codecs === undefined ? {} : { codecs: options.codecs }
  const timers = createTimers({ clock })
  const dnsCaches = createDnsCaches({ lookup: options.lookup, clock, logger })
  const clusters = createClusterManager({
    dnsCaches,
    ...{ network, tls, timers, clock, random },
    ...codecs,
    stats: (statName) => createClusterStats(stats, statName),
    resolve: createDns({ lookup: options.lookup, clock, logger }),
  })
  const localAddress = ownAddress()
  const http = createHttpClient({ clusters, timers, localAddress })
  const grpc = (cluster: string): GrpcClient => createGrpcClient({ clusters, cluster, timers, localAddress })
  const tracers = createTracers({
    http,
    grpc,
    clock,
    stats,
    runtime: options.runtime,
    serviceName: options.node.cluster,
    address: localAddress,
  })
  const forwarder = createRouter({ clusters, timers, clock, random, requestStats: createVirtualHostStats(stats) })

  const tracingOf = ({ tracing: config }: HttpManager, { direction }: CompiledListener): { tracing?: HttpTracing } => {
    if (config === undefined) return {}
    const provider = config.provider ?? options.tracingProvider
    const node = { id: options.node.id, zone: options.zone ?? '' }
    return {
      tracing: createHttpTracing({ config, direction, node, clock, random, ...(provider && { tracer: tracers.of(provider) }) }),
    }
  }
  const routesOf = ({ routes: from }: HttpManager) => {
    const scoped = from.kind === 'scoped' ? from : undefined
    const routes = from.kind === 'rds' ? options.routes(from.name) : createWatch(from.kind === 'inline' ? from.table : undefined)
    const scopes = (): RouteScopes => options.scopes?.current ?? NO_SCOPES
    const byName = (name: string): RouteTable | undefined => options.routes(name).current
    const tableFor = (head: RequestHead): RouteTable | undefined =>
      scoped === undefined ? routes.current : tableOfScope(scopeOf(scoped, head, scopes()), byName)
    return { routes, scoped, scopes, tableFor }
  }
  const greetingOf = createGreetings(options.node)
  const clusterMetadata = (name: string) => clusters.get(name)?.compiled.metadata
  const httpTerminal = (manager: HttpManager, listener: CompiledListener): Terminal => {
    const { demand } = options
    const { routes, scoped, scopes, tableFor } = routesOf(manager)
    return createHttpConnectionManager({
      ...{ manager, routes },
      ...codecs,
      ...(scoped && { tableFor }),
      drainsWhenFailed: listener.drainsWhenFailed,
      forwarder,
      timers,
      stats: createHttpStats(stats, manager.statPrefix, statNameOf(listener)),
      filterDeps: {
        ...{ clock, random, logger, stats, node: options.node, direction: listener.direction },
        dnsCaches,
        clusterDiscovery: (name) => clusters.get(name)?.compiled.discovery,
        clusterMetadata,
        clusterHealth(name) {
          const of = clusters.get(name)?.stats
          return of && { total: of.membershipTotal.value, healthy: of.membershipHealthy.value }
        },
        healthy: options.healthy ?? (() => true),
        ...(demand && {
          demandCluster: demand.cluster,
          demandRoute: (head) => demandRoute({ scoped, scopes: scopes(), table: tableFor(head) }, head, demand),
        }),
        http,
        grpc,
      },
      ...tracingOf(manager, listener),
    })
  }
  return {
    clusters,
    http,
    grpc,
    flush: () => tracers.flush(),
    start: (listener) =>
      createListenerSession({
        ...{ listener, tls, clock, logger },
        ...(options.sessionAt && { sessionAt: options.sessionAt }),
        stats: createListenerStats(stats, statNameOf(listener)),
        judged(guard, facts, allowed) {
          guard.count?.(facts, stats)
          const where = { filter: guard.name, listener: listener.name, client: facts.source.address }
          const rehearsed = guard.rehearse?.(facts)
          if (rehearsed !== undefined)
            logger.info({ ...where, why: rehearsed }, 'a connection was denied in a dry run, and let in')
          if (!allowed) logger.info({ ...where, why: guard.explain(facts) }, 'a connection was denied')
        },
        authorizers: (chain) =>
          chain.authorizers.map((authorizer) => authorizer.create({ stats, logger, grpc, node: options.node })),
        gates: (chain) => chain.gates.map((gate) => gate.create({ clock, stats })),
        proxyProtocolStats: createProxyProtocolStats(stats, listener.proxyProtocol?.statPrefix ?? ''),
        terminal(chain) {
          const { terminal } = chain
          if (terminal.kind === 'http_connection_manager') return httpTerminal(terminal, listener)
          if (terminal.kind === 'direct_response') return createDirectResponse(terminal, timers)
          const { statPrefix } = terminal
          const observed = { clock, stats, node: options.node, direction: listener.direction, clusterMetadata }
          return createTcpProxy({
            ...{ clusters, dnsCaches, timers, clock, random },
            observers: chain.observers.map((each) => each.observe(observed)),
            exchange: chain.exchange,
            greetingOf,
            config: terminal,
            stats: createTcpStats(stats, statPrefix),
          })
        },
      }),
  }
}

/** stat_prefix, or `127.0.0.1_8080` as Envoy writes addresses in statistics. */
function statNameOf({ statPrefix, address: { address, port } }: CompiledListener): string {
  if (statPrefix !== '') return statPrefix
  return address.startsWith('/') ? address : address.includes(':') ? `[${address}]_${port}` : `${address}_${port}`
}
