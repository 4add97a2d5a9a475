import { type Clock, createWatch, type Logger, type Unsubscribe } from '@heddle/runtime'
import type { CompiledCluster, DnsConfig } from '../config/compiled.js'
import { isIpAddress } from '../net/address.js'
import type { Lookup } from '../net/dns.js'
import type { DnsEndpoints } from './cluster-manager.js'
import type { Endpoint, EndpointSet } from './endpoint.js'
import { keepIdentity } from './endpoint-set.js'

export interface DnsOptions {
  lookup: Lookup
  clock: Clock
  logger: Logger
}

type DnsCluster = CompiledCluster['discovery'] & { readonly dns: DnsConfig }

/**
 * Endpoints of STRICT_DNS clusters (every address of every name) and of LOGICAL_DNS clusters (the first address of each),
 * asked for again every dns_refresh_rate. A name that does not resolve keeps its last addresses. What was found is shared, so
 * that a cluster that is replaced starts with what its predecessor knew.
 */
export function createDns({ lookup, clock, logger }: DnsOptions): (cluster: CompiledCluster) => DnsEndpoints {
  const known = new Map<string, readonly string[]>()

  return ({ name, discovery }) => {
    const { kind, dns, endpoints: template } = discovery as Extract<DnsCluster, { kind: 'STRICT_DNS' | 'LOGICAL_DNS' }>
    const current = createWatch<EndpointSet | undefined>(undefined)
    const hosts = [...new Set(template.endpoints.map(({ address }) => address.address))].filter((host) => !isIpAddress(host))
    const keyOf = (host: string): string => `${dns.family} ${host}`
    let closed = false
    let stop: Unsubscribe | undefined

    const publish = (): void => {
      const next = resolved(template, kind === 'LOGICAL_DNS', (host) => known.get(keyOf(host)) ?? [])
      current.set(keepIdentity(current.current, next))
    }
    const ask = async (host: string): Promise<void> => {
      try {
        const found = await lookup(host, dns.family)
        // The order of an answer turns; it is no change.
        known.set(keyOf(host), kind === 'LOGICAL_DNS' ? found : [...found].sort())
      } catch (error) {
        logger.warn({ cluster: name, host, reason: String(error) }, 'dns: a name does not resolve')
      }
    }
    const refresh = async (): Promise<void> => {
      await Promise.all(hosts.map(ask))
      if (closed) return
      publish()
      stop = clock.after(dns.refreshMs, () => void refresh())
    }

    if (hosts.every((host) => known.has(keyOf(host)))) publish()
    if (hosts.length > 0) void refresh()
    return {
      endpoints: current,
      close() {
        closed = true
        stop?.()
      },
    }
  }
}

function resolved(template: EndpointSet, firstOnly: boolean, addressesOf: (host: string) => readonly string[]): EndpointSet {
  const endpoints = template.endpoints.flatMap((endpoint): readonly Endpoint[] => {
    const { address, port } = endpoint.address
    if (isIpAddress(address)) return [endpoint]
    const found = addressesOf(address)
    return (firstOnly ? found.slice(0, 1) : found).map((ip) => ({
      ...endpoint,
      hostname: endpoint.hostname ?? address,
      address: { address: ip, port },
    }))
  })
  return { ...template, endpoints }
}
