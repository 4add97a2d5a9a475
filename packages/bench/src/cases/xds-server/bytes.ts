import type { BenchCase, Contender, RoundContext } from '../../bench-case.js'
import { meshCluster } from '../../clusters.js'
import { CLUSTER_URL } from '../../envoy-api.js'
import { type Wanted, withStreams } from './parts.js'

const CLUSTERS = 1_000

/** One cluster of a thousand changes: what a response weighs. */
export function bytesCase(): BenchCase {
  return {
    bench: 'xds-server',
    name: `bytes of a response when 1 of ${CLUSTERS} clusters changes`,
    unit: 'bytes',
    better: 'lower',
    ours: contender('Delta', 'delta'),
    peers: [{ ...contender('SotW of the same server', 'sotw'), goal: { must: 500, after: 500 } }],
  }
}

function contender(name: string, variant: NonNullable<Wanted['variant']>): Contender {
  const clustersAt = (revision: number): object[] =>
    Array.from({ length: CLUSTERS }, (_, index) => meshCluster(index, index === 7 ? revision : 0))
  const bytes = async (context: RoundContext): Promise<number> => {
    const wanted: Wanted = { maker: 'ours', streams: 4, variant, typeUrl: CLUSTER_URL, name: '*', first: clustersAt(0) }
    return withStreams(wanted, context, async ({ push }) => (await push(clustersAt(1))).bytes)
  }
  return {
    name,
    missing: undefined,
    async check(context) {
      const size = await bytes(context)
      if (size < 100) throw new Error(`a response of ${size} bytes holds no cluster`)
    },
    measure: async (context) => ({ value: await bytes(context), cpuMicros: undefined }),
  }
}
