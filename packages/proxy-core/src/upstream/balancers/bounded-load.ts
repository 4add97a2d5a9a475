import type { Endpoint } from '../endpoint.js'
import type { Chooser, ChooserPolicy, WeightedEndpoint } from './chooser.js'
import { randomHash } from './hash-key.js'
import { createMersenneTwister } from './mersenne-twister.js'

/**
 * hash_balance_factor: consistent hashing with bounded loads (arXiv 1608.01350). No host has more than `percent` of its fair share
 * of the requests under way; who would get more sends them on to hosts in an order that only the hash decides (arXiv 1908.08762).
 * Costs a walk over all hosts a pick, as in Envoy.
 */
export function boundedLoad(inner: ChooserPolicy, percent: number): ChooserPolicy {
  return {
    name: inner.name,
    byHash: true,
    create(hosts, deps) {
      const chooser = inner.create(hosts, deps)
      if (hosts.length === 0) return chooser
      return createBounded(chooser, hosts, percent, deps)
    },
  }
}

function createBounded(
  chooser: Chooser,
  hosts: readonly WeightedEndpoint[],
  percent: number,
  { random, activeRequests }: Parameters<ChooserPolicy['create']>[1],
): Chooser {
  const total = hosts.reduce((sum, { weight }) => sum + weight, 0)
  const weights = new Map(hosts.map(({ endpoint, weight }) => [endpoint, weight / total]))
  /** Of requests under way to the slots that it has for them. */
  const loadOf = (endpoint: Endpoint, slots: number): number =>
    activeRequests(endpoint) / Math.max(1, Math.ceil(slots * (weights.get(endpoint) ?? 0)))
  return {
    choose(context, attempt) {
      const hash = context.hash ?? randomHash(random)
      const first = chooser.choose({ ...context, hash }, attempt)
      if (first === undefined) return undefined
      const active = hosts.reduce((sum, { endpoint }) => sum + activeRequests(endpoint), 0)
      const slots = Math.floor(((active + 1) * percent + 99) / 100)
      let least = first
      let leastLoad = loadOf(first, slots)
      if (leastLoad <= 1) return first
      for (const endpoint of shuffled(hosts, hash)) {
        if (endpoint === first) continue
        const load = loadOf(endpoint, slots)
        if (load <= 1) return endpoint
        if (load >= leastLoad) continue
        least = endpoint
        leastLoad = load
      }
      return least
    },
  }
}

/** The same order for the same hash, by the shuffle and the generator that Envoy has for it. */
function* shuffled(hosts: readonly WeightedEndpoint[], hash: bigint): Iterable<Endpoint> {
  const next = createMersenneTwister(Number(hash & 0xffffffffn))
  const order = hosts.map(({ endpoint }) => endpoint)
  for (let i = 0; i < order.length; i++) {
    const j = i + below(next, order.length - i)
    const chosen = order[j]!
    order[j] = order[i]!
    order[i] = chosen
    yield chosen
  }
}

/** Uniform in [0, most). */
function below(next: () => number, most: number): number {
  const width = Math.floor(2 ** 32 / most)
  for (;;) {
    const value = Math.floor(next() / width)
    if (value < most) return value
  }
}
