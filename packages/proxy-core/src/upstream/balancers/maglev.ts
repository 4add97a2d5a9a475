import type { Endpoint } from '../endpoint.js'
import type { Hash64 } from '../hash.js'
import { type ChooserPolicy, NOBODY, type WeightedEndpoint } from './chooser.js'
import { hashKeyOf, randomHash } from './hash-key.js'

export interface MaglevConfig {
  /** A prime; 65,537 by default. */
  readonly tableSize: number
  readonly useHostname: boolean
}

export const DEFAULT_TABLE_SIZE = 65_537
const ALL_ONES = (1n << 64n) - 1n

/** MAGLEV: the paper's listing 1 with Envoy's weights and hashes. */
export function maglev(config: MaglevConfig, hash64: Hash64): ChooserPolicy {
  const size = BigInt(config.tableSize)
  return {
    name: 'MAGLEV',
    byHash: true,
    create(hosts, { random }) {
      if (hosts.length === 0) return NOBODY
      const { table, endpoints } = buildTable(hosts, config, hash64)
      return {
        choose({ hash }, attempt) {
          const first = hash ?? randomHash(random)
          const mixed = attempt === 0 ? first : first ^ (ALL_ONES - BigInt(attempt) + 1n)
          return endpoints[table[Number(mixed % size)]!]
        },
      }
    },
  }
}

function buildTable(
  hosts: readonly WeightedEndpoint[],
  { tableSize, useHostname }: MaglevConfig,
  hash64: Hash64,
): { table: Int32Array; endpoints: readonly Endpoint[] } {
  const total = hosts.reduce((sum, { weight }) => sum + weight, 0)
  const entries = hosts
    .map(({ endpoint, weight }) => ({ endpoint, key: hashKeyOf(endpoint, useHostname), weight: weight / total }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ endpoint, key, weight }) => ({
      endpoint,
      weight,
      at: Number(hash64(key) % BigInt(tableSize)),
      skip: Number(hash64(key, 1n) % BigInt(tableSize - 1)) + 1,
      target: 0,
    }))
  const most = Math.max(...entries.map(({ weight }) => weight))
  const table = new Int32Array(tableSize).fill(-1)
  for (let iteration = 1, filled = 0; filled < tableSize; iteration++) {
    for (const [i, entry] of entries.entries()) {
      if (filled === tableSize) break
      // A host of a third of the largest weight takes its turn every third round.
      if (iteration * entry.weight < entry.target) continue
      entry.target += most
      while (table[entry.at] !== -1) entry.at = (entry.at + entry.skip) % tableSize
      table[entry.at] = i
      entry.at = (entry.at + entry.skip) % tableSize
      filled++
    }
  }
  return { table, endpoints: entries.map(({ endpoint }) => endpoint) }
}

/** By trial division: table sizes are at most 5,000,011. */
export function isPrime(n: number): boolean {
  if (!Number.isInteger(n) || n < 2) return false
  for (let i = 2; i * i <= n; i++) if (n % i === 0) return false
  return true
}
