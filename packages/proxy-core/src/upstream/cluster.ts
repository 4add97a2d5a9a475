import type { Clock, Random, Unsubscribe, Watch } from '@heddle/runtime'
import type { CompiledCluster } from '../config/compiled.js'
import type { Codecs } from '../http/auto.js'
import type { HttpRequest } from '../http/message.js'
import { formatAddress } from '../net/address.js'
import type { Connection, SocketAddress } from '../net/connection.js'
import type { Network } from '../net/network.js'
import type { Timers } from '../net/timers.js'
import type { ClientTlsContext, Tls } from '../net/tls.js'
import type { ClusterStats } from '../observe/stats.js'
import { contextFor } from './auto-sni.js'
import { type ClusterResources, createClusterResources } from './circuit-breaker.js'
import { type ClusterHealth, createClusterHealth, healthStatusOf } from './cluster-health.js'
import { connectUpstream } from './connect.js'
import { dynamicEndpoint, isDynamic, type ResolvedHosts, sweepHosts } from './dynamic-hosts.js'
import type { Endpoint, EndpointSet } from './endpoint.js'
import { createProbe } from './health-check/probe.js'
import { createHost, type Host } from './host.js'
import type { LoadBalancerDeps, PickContext, Picker } from './load-balancer.js'
import type { OutlierDetector } from './outlier.js'
import { createPool, type Pool, type PoolProtocol } from './pool.js'
import { proxyHeaderKey } from './proxy-header.js'

export interface UpstreamClusterOptions {
  readonly compiled: CompiledCluster
  /** Of EDS, DNS or the cluster itself; undefined inside: not known yet. */
  readonly endpoints: Watch<EndpointSet | undefined>
  readonly network: Network
  readonly tls: Tls
  readonly codecs: Codecs
  readonly stats: ClusterStats
  readonly timers: Timers
  readonly clock: Clock
  readonly random: Random
  /** Of a dynamic forward proxy: what names have been resolved to. */
  readonly resolved?: ResolvedHosts | undefined
}

/** A cluster at work. */
export interface UpstreamCluster {
  readonly compiled: CompiledCluster
  readonly stats: ClusterStats
  /** Of requests of priority DEFAULT. */
  readonly resources: ClusterResources
  resourcesFor(priority: RoutePriority): ClusterResources
  /** Of the endpoint that was picked; undefined: nothing watches it. */
  outlierFor(endpoint: Endpoint): OutlierDetector | undefined
  readonly health: ClusterHealth
  /** Its health as override_host_status names it. */
  healthStatus(endpoint: Endpoint): string
  /** An answer of it said x-envoy-immediate-health-check-fail. */
  failNow(endpoint: Endpoint): void
  /** Undefined: nobody is healthy, or nobody is known. `destination`: where the client meant to go, for ORIGINAL_DST. */
  pick(context: PickContext, destination: SocketAddress | undefined): Endpoint | undefined
  /** How a request that came in such a version is sent on. */
  protocolFor(downstream: HttpRequest['protocol'], endpoint?: Endpoint): PoolProtocol
  pool(endpoint: Endpoint, protocol: PoolProtocol, options?: PoolChoice): Pool
  /** A connection for itself, outside the pools. `downstream`: who it is for, where the endpoint wants a PROXY header. */
  connect(endpoint: Endpoint, downstream?: Connection): Promise<Connection>
  host(endpoint: Endpoint): Host
  readonly endpoints: readonly Endpoint[]
  readonly hosts: Iterable<Host>
  /** Closes idle connections, lets busy ones finish. */
  drain(): void
}

export type RoutePriority = 'DEFAULT' | 'HIGH'

/** What sets pools of one endpoint apart beside their protocol. */
export interface PoolChoice {
  /** Replaces the ALPN offer of the TLS context. */
  readonly alpn?: readonly string[] | undefined
  /** Each priority has its own limits, and so its own connections. Default: DEFAULT. */
  readonly priority?: RoutePriority | undefined
  /** Of the request, where the cluster has auto_sni or auto_san_validation. */
  readonly serverName?: string | undefined
  /** Who is served: where the endpoint wants a PROXY header, its connections are for nobody else. */
  readonly downstream?: Connection | undefined
}

export function createUpstreamCluster(options: UpstreamClusterOptions): UpstreamCluster {
  const { compiled, endpoints, stats, clock, random, network, tls } = options
  const resources: Readonly<Record<RoutePriority, ClusterResources>> = {
    DEFAULT: createClusterResources(compiled.circuitBreakers),
    HIGH: createClusterResources(compiled.highCircuitBreakers),
  }
  const hosts = new Map<string, Host>()
  let hostsByEndpoint = new WeakMap<Endpoint, Host>()
  let announced: EndpointSet | undefined
  let current: EndpointSet | undefined
  let picker: Picker | undefined
  let used = false

  const hostOf = (endpoint: Endpoint): Host => {
    const known = hostsByEndpoint.get(endpoint)
    if (known !== undefined) return known
    const key = formatAddress(endpoint.address)
    let host = hosts.get(key)
    if (host === undefined) {
      host = createHost(endpoint, clock.monotonic())
      hosts.set(key, host)
    }
    hostsByEndpoint.set(endpoint, host)
    return host
  }

  const health = createClusterHealth({
    ...{ compiled, stats, clock, random },
    probe: (endpoint) => createProbe({ ...options, cluster: compiled }, compiled.healthCheck!, endpoint),
    hadTraffic: () => used,
    onChange(endpoint) {
      const host = hosts.get(formatAddress(endpoint.address))
      if (host === undefined) return
      const { failed = false } = health.active(endpoint) ?? {}
      if (host.failed && !failed) host.healthySince = clock.monotonic()
      if (!host.failed && failed && compiled.closeConnectionsOnHealthFailure) destroyPools(host)
      host.failed = failed
      if (failed && announced !== current) setEndpoints(announced)
    },
  })

  const setEndpoints = (set: EndpointSet | undefined): void => {
    announced = set
    current = withStillHealthy(compiled, set, current, health)
    const all = current?.endpoints ?? []
    hostsByEndpoint = new WeakMap()
    for (const endpoint of all) {
      const host = hostOf(endpoint)
      // Its labels may have changed how it is spoken to: plain text before, mTLS now.
      if (compiled.tlsFor(host.endpoint) !== compiled.tlsFor(endpoint)) drainPools(host)
      host.endpoint = endpoint
    }
    const known = new Set(all.map((endpoint) => formatAddress(endpoint.address)))
    for (const [key, host] of hosts) {
      if (known.has(key)) continue
      hosts.delete(key)
      drainPools(host)
    }
    health.setEndpoints(all)
    for (const endpoint of all) hostOf(endpoint).failed = health.active(endpoint)?.failed === true
    picker = current && compiled.createPicker(current, pickerDeps)
  }
  const pickerDeps: LoadBalancerDeps = {
    random,
    isHealthy: health.isHealthy,
    isDegraded: health.isDegraded,
    isExcluded: health.isExcluded,
    healthEpoch: () => health.epoch,
    activeRequests: (endpoint) => hostOf(endpoint).activeRequests,
    healthyForMs: (endpoint) => clock.monotonic() - hostOf(endpoint).healthySince,
    onPanic: () => stats.lbHealthyPanic.inc(),
  }
  const dynamic = isDynamic(compiled)
  if (!dynamic) setEndpoints(endpoints.current)
  const unsubscribe: Unsubscribe = dynamic ? () => {} : endpoints.subscribe(setEndpoints)
  const stopSweep = dynamic ? sweepHosts(hosts, clock, compiled.cleanupIntervalMs) : undefined

  const tlsFor = (endpoint: Endpoint, fallback: readonly string[], alpn: readonly string[] | undefined) => {
    const context = compiled.tlsFor(endpoint)
    if (context === undefined || (alpn === undefined && context.alpn.length > 0)) return context
    return { ...context, alpn: alpn ?? fallback }
  }

  const shared = { cluster: compiled, stats, network, tls, clock }

  return {
    compiled,
    stats,
    resources: resources.DEFAULT,
    resourcesFor: (priority) => resources[priority],
    outlierFor: () => health.outlier,
    health,
    healthStatus: (endpoint) => healthStatusOf(endpoint, health),
    failNow: health.failNow,
    pick(context, destination) {
      used = true
      if (dynamic) return dynamicEndpoint(compiled, context, destination, options.resolved)
      return picker?.pick(context)
    },
    protocolFor(downstream) {
      const { protocol } = compiled.http
      if (protocol !== 'USE_DOWNSTREAM') return protocol
      return downstream === 'HTTP/2' ? 'HTTP2' : 'HTTP1'
    },
    pool(endpoint, protocol, { alpn, priority = 'DEFAULT', serverName, downstream } = {}) {
      const host = hostOf(endpoint)
      const proxyProtocol = compiled.proxyProtocolFor?.(endpoint)
      const isPersonal = proxyProtocol !== undefined || downstream?.transparentSource !== undefined
      const own = isPersonal ? downstream : undefined
      const key =
        poolKey(protocol, alpn, priority) +
        (serverName === undefined ? '' : ` ${serverName}`) +
        (own === undefined ? '' : ` ${proxyHeaderKey(own)}`)
      let pool = host.pools.get(key)
      if (pool === undefined) {
        if (serverName !== undefined) forgetEmptyPools(host)
        const context = tlsFor(endpoint, FALLBACK_ALPN[protocol], alpn)
        const { autoSni } = compiled.http
        const tlsContext = context && autoSni && serverName !== undefined ? contextFor(context, autoSni, serverName) : context
        const { codecs, timers } = options
        const header = { proxyProtocol, downstream: own }
        pool = createPool({ ...shared, ...header, resources: resources[priority], host, tlsContext, protocol, codecs, timers })
        host.pools.set(key, pool)
        own?.onClosed(() => retirePool(host, key))
      }
      return pool
    },
    connect: (endpoint, downstream) =>
      connectUpstream({
        // One by one, since it is made for each connection: a spread would take ten times the memory.
        cluster: compiled,
        stats,
        network,
        tls,
        clock,
        proxyProtocol: compiled.proxyProtocolFor?.(endpoint),
        downstream,
        resources: resources.DEFAULT,
        host: hostOf(endpoint),
        tlsContext: connectionTls(compiled, endpoint),
      }),
    host: hostOf,
    get endpoints() {
      return current?.endpoints ?? []
    },
    get hosts() {
      return hosts.values()
    },
    drain() {
      unsubscribe()
      stopSweep?.()
      health.close()
      for (const host of hosts.values()) drainPools(host)
    },
  }
}

/** Of a connection for a TCP proxy: both sides may say who they are on it. */
function connectionTls(compiled: CompiledCluster, endpoint: Endpoint): ClientTlsContext | undefined {
  const context = compiled.tlsFor(endpoint)
  return (compiled.exchange && context?.exchanging) ?? context
}

/** Clients choose server names: what they have left behind must not pile up. */
function forgetEmptyPools({ pools }: Host): void {
  if (pools.size < MANY_POOLS) return
  for (const [key, pool] of pools) if (pool.empty) pools.delete(key)
}

const MANY_POOLS = 64

/** Nobody else may use its connections. */
function retirePool(host: Host, key: string): void {
  host.pools.get(key)?.drain()
  host.pools.delete(key)
}

function poolKey(protocol: PoolProtocol, alpn: readonly string[] | undefined, priority: RoutePriority): string {
  if (alpn === undefined && priority === 'DEFAULT') return protocol
  return `${protocol} ${priority} ${alpn?.join(',') ?? ''}`
}

/** What is offered where the TLS context names nothing. */
const FALLBACK_ALPN: Readonly<Record<PoolProtocol, readonly string[]>> = {
  HTTP1: ['http/1.1'],
  HTTP2: ['h2'],
  AUTO: ['h2', 'http/1.1'],
}

function drainPools(host: Host): void {
  for (const pool of host.pools.values()) pool.drain()
  host.pools.clear()
}

function destroyPools(host: Host): void {
  for (const pool of host.pools.values()) pool.destroy()
  host.pools.clear()
}

/** As in Envoy, an endpoint that discovery no longer names stays while its active checks pass. */
function withStillHealthy(
  { healthCheck, ignoreHealthOnHostRemoval }: CompiledCluster,
  next: EndpointSet | undefined,
  previous: EndpointSet | undefined,
  health: ClusterHealth,
): EndpointSet | undefined {
  if (healthCheck === undefined || ignoreHealthOnHostRemoval || next === undefined || previous === undefined) return next
  const named = new Set(next.endpoints.map(({ address }) => formatAddress(address)))
  const kept = previous.endpoints.filter(
    (endpoint) => !named.has(formatAddress(endpoint.address)) && health.active(endpoint)?.failed === false,
  )
  return kept.length === 0 ? next : { ...next, endpoints: [...next.endpoints, ...kept] }
}
