import type { Clock, Random, Unsubscribe, Watch } from '@heddle/runtime'
import type { CompiledCluster } from '../config/compiled.js'
import type { Codecs } from '../http/auto.js'
import type { HttpRequest } from '../http/message.js'
import { formatAddress } from '../net/address.js'
import type { Connection, SocketAddress } from '../net/connection.js'
import type { Network } from '../net/network.js'
import type { Timers } from '../net/timers.js'
import type { Tls } from '../net/tls.js'
import type { ClusterStats } from '../observe/stats.js'
import { type ClusterResources, createClusterResources } from './circuit-breaker.js'
import { connectUpstream } from './connect.js'
import type { Endpoint, EndpointSet } from './endpoint.js'
import { createHost, type Host } from './host.js'
import type { PickContext, Picker } from './load-balancer.js'
import { createOutlierDetector } from './outlier.js'
import { createPool, type Pool, type PoolProtocol } from './pool.js'

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
}

/** What the data path tells a detector, and asks of it. */
export interface OutlierDetector {
  /** The endpoints that are watched; ejections of those that stay live on. */
  setEndpoints(endpoints: readonly Endpoint[]): void
  /** A response's status. */
  onResponse(endpoint: Endpoint, status: number): void
  /** No response: `connect` failed before a connection stood, `reset` after. */
  onLocalFailure(endpoint: Endpoint, kind: 'connect' | 'reset' | 'timeout'): void
  onConnected(endpoint: Endpoint): void
  isEjected(endpoint: Endpoint): boolean
  close(): void
}

/** A cluster at work. */
export interface UpstreamCluster {
  readonly compiled: CompiledCluster
  readonly stats: ClusterStats
  readonly resources: ClusterResources
  readonly outlier: OutlierDetector | undefined
  /** Undefined: nobody is healthy, or nobody is known. `destination`: where the client meant to go, for ORIGINAL_DST. */
  pick(context: PickContext, destination: SocketAddress | undefined): Endpoint | undefined
  /** How a request that came in such a version is sent on. */
  protocolFor(downstream: HttpRequest['protocol']): PoolProtocol
  /** `alpn` replaces the ALPN offer of the TLS context. */
  pool(endpoint: Endpoint, protocol: PoolProtocol, alpn?: readonly string[]): Pool
  /** A connection for itself, outside the pools. */
  connect(endpoint: Endpoint): Promise<Connection>
  host(endpoint: Endpoint): Host
  isHealthy(endpoint: Endpoint): boolean
  readonly endpoints: readonly Endpoint[]
  readonly hosts: Iterable<Host>
  /** Closes idle connections, lets busy ones finish. */
  drain(): void
}

export function createUpstreamCluster(options: UpstreamClusterOptions): UpstreamCluster {
  const { compiled, endpoints, stats, clock, random } = options
  const resources = createClusterResources(compiled.circuitBreakers)
  const hosts = new Map<string, Host>()
  let hostsByEndpoint = new WeakMap<Endpoint, Host>()
  let current: readonly Endpoint[] = []
  let picker: Picker | undefined
  let healthEpoch = 0
  const outlier =
    compiled.outlier === undefined
      ? undefined
      : createOutlierDetector(compiled.outlier, {
          clock,
          random,
          onDetected: (_, why) => stats.outlierDetected(why),
          onChange(_, change, why) {
            healthEpoch++
            stats.outlierEjectionsActive.add(change === 'ejected' ? 1 : -1)
            stats.membershipHealthy.add(change === 'ejected' ? -1 : 1)
            if (change === 'ejected' && why !== 'interval') stats.outlierEnforced(why)
          },
        })
  const isHealthy = (endpoint: Endpoint): boolean => outlier?.isEjected(endpoint) !== true

  const hostOf = (endpoint: Endpoint): Host => {
    const known = hostsByEndpoint.get(endpoint)
    if (known !== undefined) return known
    const key = formatAddress(endpoint.address)
    let host = hosts.get(key)
    if (host === undefined) {
      host = createHost(endpoint)
      hosts.set(key, host)
    }
    hostsByEndpoint.set(endpoint, host)
    return host
  }

  const setEndpoints = (set: EndpointSet | undefined): void => {
    current = set?.endpoints ?? []
    hostsByEndpoint = new WeakMap()
    for (const endpoint of current) {
      const host = hostOf(endpoint)
      // Its labels may have changed how it is spoken to: plain text before, mTLS now.
      if (compiled.tlsFor(host.endpoint) !== compiled.tlsFor(endpoint)) drainPools(host)
      host.endpoint = endpoint
    }
    const known = new Set(current.map((endpoint) => formatAddress(endpoint.address)))
    if (compiled.discovery.kind !== 'ORIGINAL_DST') {
      for (const [key, host] of hosts) {
        if (known.has(key)) continue
        hosts.delete(key)
        drainPools(host)
      }
    }
    outlier?.setEndpoints(current)
    stats.membershipTotal.set(current.length)
    stats.membershipHealthy.set(current.filter((endpoint) => endpoint.health !== 'UNHEALTHY' && isHealthy(endpoint)).length)
    picker =
      set === undefined
        ? undefined
        : compiled.createPicker(set, {
            random,
            isHealthy,
            healthEpoch: () => healthEpoch,
            activeRequests: (endpoint) => hostOf(endpoint).activeRequests,
          })
  }
  setEndpoints(endpoints.current)
  const unsubscribe: Unsubscribe = endpoints.subscribe(setEndpoints)

  const tlsFor = (endpoint: Endpoint, fallback: readonly string[], alpn: readonly string[] | undefined) => {
    const context = compiled.tlsFor(endpoint)
    if (context === undefined || (alpn === undefined && context.alpn.length > 0)) return context
    return { ...context, alpn: alpn ?? fallback }
  }

  const shared = { cluster: compiled, resources, stats, network: options.network, tls: options.tls, clock: options.clock }

  return {
    compiled,
    stats,
    resources,
    outlier,
    pick(context, destination) {
      if (compiled.discovery.kind === 'ORIGINAL_DST') return originalDestination(compiled, destination)
      return picker?.pick(context)
    },
    protocolFor(downstream) {
      const { protocol } = compiled.http
      if (protocol !== 'USE_DOWNSTREAM') return protocol
      return downstream === 'HTTP/2' ? 'HTTP2' : 'HTTP1'
    },
    pool(endpoint, protocol, alpn) {
      const host = hostOf(endpoint)
      const key = alpn === undefined ? protocol : `${protocol} ${alpn.join(',')}`
      let pool = host.pools.get(key)
      if (pool === undefined) {
        const tlsContext = tlsFor(endpoint, FALLBACK_ALPN[protocol], alpn)
        const { codecs, timers } = options
        pool = createPool({ ...shared, host, tlsContext, protocol, codecs, timers })
        host.pools.set(key, pool)
      }
      return pool
    },
    connect: (endpoint) => connectUpstream({ ...shared, host: hostOf(endpoint), tlsContext: compiled.tlsFor(endpoint) }),
    host: hostOf,
    isHealthy,
    get endpoints() {
      return current
    },
    get hosts() {
      return hosts.values()
    },
    drain() {
      unsubscribe()
      outlier?.close()
      for (const host of hosts.values()) drainPools(host)
    },
  }
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

const NOWHERE = { region: '', zone: '', subZone: '' }

function originalDestination(cluster: CompiledCluster, destination: SocketAddress | undefined): Endpoint | undefined {
  if (destination === undefined || cluster.discovery.kind !== 'ORIGINAL_DST') return undefined
  const address = { address: destination.address, port: cluster.discovery.port ?? destination.port }
  return { address, weight: 1, priority: 0, locality: NOWHERE, health: 'UNKNOWN', metadata: {} }
}
