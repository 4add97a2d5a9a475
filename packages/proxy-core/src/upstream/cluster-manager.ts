import { type Clock, createWatch, type Random, type Watch } from '@heddle/runtime'
import type { CompiledCluster } from '../config/compiled.js'
import { type Codecs, ownCodecs } from '../http/auto.js'
import type { Network } from '../net/network.js'
import type { Timers } from '../net/timers.js'
import type { Tls } from '../net/tls.js'
import type { ClusterStats } from '../observe/stats.js'
import { createAggregateCluster } from './aggregate-cluster.js'
import { createUpstreamCluster, type UpstreamCluster } from './cluster.js'
import type { DnsCaches } from './dns-cache.js'
import type { EndpointSet } from './endpoint.js'

export interface ClusterManagerOptions {
  readonly network: Network
  readonly tls: Tls
  readonly timers: Timers
  readonly clock: Clock
  readonly random: Random
  /** Statistics of a cluster, by its stat name. */
  stats(statName: string): ClusterStats
  /** Endpoints of STRICT_DNS and LOGICAL_DNS clusters; without it they have none. */
  resolve?(cluster: CompiledCluster): DnsEndpoints
  /** For dynamic forward proxies; without it they find nobody. */
  readonly dnsCaches?: DnsCaches
  /** Default: our own. */
  readonly codecs?: Codecs
}

/** Endpoints that follow DNS until closed. */
export interface DnsEndpoints {
  readonly endpoints: Watch<EndpointSet | undefined>
  close(): void
}

/** All clusters at work, by name. */
export interface ClusterManager {
  get(name: string): UpstreamCluster | undefined
  /** In place of the one of the same name, whose connections drain. `endpoints`: of an EDS cluster. */
  set(cluster: CompiledCluster, endpoints: Watch<EndpointSet | undefined> | undefined): void
  /** New requests for it get 503 NC; those under way go on. */
  remove(name: string): void
  readonly clusters: Iterable<UpstreamCluster>
  /** Drains all. */
  close(): void
}

export function createClusterManager(options: ClusterManagerOptions): ClusterManager {
  const clusters = new Map<string, { cluster: UpstreamCluster; dns: DnsEndpoints | undefined }>()

  const drop = (name: string): void => {
    const entry = clusters.get(name)
    if (entry === undefined) return
    clusters.delete(name)
    entry.dns?.close()
    entry.cluster.drain()
  }

  return {
    get: (name) => clusters.get(name)?.cluster,
    set(compiled, endpoints) {
      drop(compiled.name)
      const stats = options.stats(compiled.altStatName === '' ? compiled.name : compiled.altStatName)
      const { discovery } = compiled
      const dns = discovery.kind === 'STRICT_DNS' || discovery.kind === 'LOGICAL_DNS' ? options.resolve?.(compiled) : undefined
      const known =
        discovery.kind === 'STATIC' ? createWatch<EndpointSet | undefined>(discovery.endpoints) : (dns?.endpoints ?? endpoints)
      if (discovery.kind === 'AGGREGATE') {
        const member = (name: string): UpstreamCluster | undefined => clusters.get(name)?.cluster
        const cluster = createAggregateCluster({ compiled, clusters: discovery.clusters, stats, random: options.random, member })
        clusters.set(compiled.name, { cluster, dns: undefined })
        return
      }
      const cluster = createUpstreamCluster({
        compiled,
        endpoints: known ?? createWatch<EndpointSet | undefined>(undefined),
        network: options.network,
        tls: options.tls,
        codecs: options.codecs ?? ownCodecs,
        stats,
        timers: options.timers,
        clock: options.clock,
        random: options.random,
        resolved: discovery.kind === 'DYNAMIC_FORWARD_PROXY' ? options.dnsCaches?.get(discovery.cache) : undefined,
      })
      clusters.set(compiled.name, { cluster, dns })
    },
    remove: drop,
    get clusters() {
      return [...clusters.values()].map(({ cluster }) => cluster)
    },
    close() {
      for (const name of [...clusters.keys()]) drop(name)
    },
  }
}
