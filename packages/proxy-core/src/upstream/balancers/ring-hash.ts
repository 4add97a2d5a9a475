import type { Endpoint } from '../endpoint.js'
import type { Hash64 } from '../hash.js'
import { type ChooserPolicy, NOBODY, type WeightedEndpoint } from './chooser.js'
import { hashKeyOf, randomHash } from './hash-key.js'

export interface RingHashConfig {
  /** 1024 by default. */
  readonly minimumRingSize: number
  /** 8 Mi by default. */
  readonly maximumRingSize: number
  readonly useHostname: boolean
}

/** RING_HASH: ketama, with Envoy's hashes and sizes, so that both choose the same host. */
export function ringHash(config: RingHashConfig, hash64: Hash64): ChooserPolicy {
  return {
    name: 'RING_HASH',
    byHash: true,
    create(hosts, { random }) {
      if (hosts.length === 0) return NOBODY
      const { hashes, owners } = buildRing(hosts, config, hash64)
      return {
        choose({ hash }, attempt) {
          const at = find(hashes, hash ?? randomHash(random))
          return owners[(at + attempt) % owners.length]
        },
      }
    },
  }
}

interface Ring {
  readonly hashes: BigUint64Array
  readonly owners: readonly Endpoint[]
}

// Running sums spread fractional numbers of points over the hosts without drift, in the hosts' order.
function buildRing(
  hosts: readonly WeightedEndpoint[],
  { minimumRingSize, maximumRingSize, useHostname }: RingHashConfig,
  hash64: Hash64,
): Ring {
  const total = hosts.reduce((sum, { weight }) => sum + weight, 0)
  const least = Math.min(...hosts.map(({ weight }) => weight)) / total
  const scale = Math.min(Math.ceil(least * minimumRingSize) / least, maximumRingSize)
  const points: { hash: bigint; endpoint: Endpoint }[] = []
  let target = 0
  for (const { endpoint, weight } of hosts) {
    const key = hashKeyOf(endpoint, useHostname)
    target += scale * (weight / total)
    for (let i = 0; points.length < target; i++) points.push({ hash: hash64(`${key}_${i}`), endpoint })
  }
  points.sort((a, b) => (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : 0))
  return { hashes: BigUint64Array.from(points, ({ hash }) => hash), owners: points.map(({ endpoint }) => endpoint) }
}

/** The first point at or after the hash; past the last one the ring closes. */
function find(hashes: BigUint64Array, hash: bigint): number {
  let low = 0
  let high = hashes.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (hashes[middle]! < hash) low = middle + 1
    else high = middle
  }
  return low === hashes.length ? 0 : low
}
