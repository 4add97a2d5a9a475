import type { Clock, Logger, Unsubscribe } from '@heddle/runtime'
import type { DnsCacheConfig } from '../config/compiled.js'
import { isIpAddress } from '../net/address.js'
import type { Lookup } from '../net/dns.js'
import { endpointAt, hostPortOf, type ResolvedHosts, splitHostPort } from './dynamic-hosts.js'
import type { Endpoint } from './endpoint.js'

/** How a wait for a name ended: `overflow` when max_hosts or max_pending_requests is reached. */
export type Resolution = 'resolved' | 'failed' | 'overflow'

/** Names that a dynamic forward proxy has been asked for, with their addresses. */
export interface DnsCache extends ResolvedHosts {
  /** At once when the name is known. */
  resolve(authority: string, defaultPort: number): Resolution | Promise<Resolution>
}

/** The caches of a proxy: one for each name. */
export interface DnsCaches {
  get(config: DnsCacheConfig): DnsCache
  close(): void
}

export interface DnsCachesOptions {
  readonly lookup: Lookup
  readonly clock: Clock
  readonly logger: Logger
}

export function createDnsCaches(options: DnsCachesOptions): DnsCaches {
  const caches = new Map<string, Cache>()
  return {
    get(config) {
      let cache = caches.get(config.name)
      if (cache === undefined) {
        cache = new Cache(config, options)
        caches.set(config.name, cache)
      }
      return cache
    },
    close() {
      for (const cache of caches.values()) cache.close()
    },
  }
}

interface Entry {
  endpoint: Endpoint | undefined
  asked: number
  waiting: Promise<Resolution> | undefined
}

class Cache implements DnsCache {
  readonly #config: DnsCacheConfig
  readonly #options: DnsCachesOptions
  readonly #entries = new Map<string, Entry>()
  #pending = 0
  #stop: Unsubscribe | undefined

  constructor(config: DnsCacheConfig, options: DnsCachesOptions) {
    this.#config = config
    this.#options = options
  }

  get(hostPort: string): Endpoint | undefined {
    return this.#entries.get(hostPort)?.endpoint
  }

  resolve(authority: string, defaultPort: number): Resolution | Promise<Resolution> {
    const hostPort = hostPortOf(authority, defaultPort)
    const now = this.#options.clock.monotonic()
    const known = this.#entries.get(hostPort)
    if (known?.endpoint !== undefined) {
      known.asked = now
      return 'resolved'
    }
    const { maxHosts, maxPendingRequests } = this.#config
    if (this.#pending >= maxPendingRequests || (known === undefined && this.#entries.size >= maxHosts)) return 'overflow'
    const entry: Entry = known ?? { endpoint: undefined, asked: now, waiting: undefined }
    if (known === undefined) this.#entries.set(hostPort, entry)
    entry.waiting ??= this.#ask(hostPort, entry)
    this.#refreshLater()
    this.#pending++
    return entry.waiting.finally(() => {
      this.#pending--
    })
  }

  close(): void {
    this.#stop?.()
  }

  async #ask(hostPort: string, entry: Entry): Promise<Resolution> {
    const { address: host, port } = splitHostPort(hostPort)
    try {
      const [address] = isIpAddress(host) ? [host] : await this.#lookUp(host)
      if (address !== undefined && entry.endpoint?.address.address !== address)
        entry.endpoint = endpointAt({ address, port }, hostPort)
    } catch (error) {
      this.#options.logger.warn({ host, reason: String(error) }, 'dynamic forward proxy: a name does not resolve')
    }
    entry.waiting = undefined
    if (entry.endpoint !== undefined) return 'resolved'
    this.#entries.delete(hostPort)
    return 'failed'
  }

  #lookUp(host: string): Promise<readonly string[]> {
    const { clock, lookup } = this.#options
    const { queryTimeoutMs, family } = this.#config
    return new Promise((resolve, reject) => {
      const stop = clock.after(queryTimeoutMs, () => reject(new Error(`no answer within ${queryTimeoutMs} ms`)))
      lookup(host, family).then(resolve, reject).finally(stop)
    })
  }

  #refreshLater(): void {
    this.#stop ??= this.#options.clock.after(this.#config.refreshMs, () => this.#refresh())
  }

  /** Asks for every name again, and forgets those that nobody has wanted for host_ttl. */
  #refresh(): void {
    this.#stop = undefined
    const now = this.#options.clock.monotonic()
    for (const [hostPort, entry] of this.#entries) {
      if (now - entry.asked >= this.#config.hostTtlMs) this.#entries.delete(hostPort)
      else entry.waiting ??= this.#ask(hostPort, entry)
    }
    if (this.#entries.size > 0) this.#refreshLater()
  }
}
