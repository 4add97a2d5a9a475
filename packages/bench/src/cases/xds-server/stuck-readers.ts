import type { BenchCase, RoundContext, Sample } from '../../bench-case.js'
import { median } from '../../statistics.js'
import { caseOf, contenderOf, type Pushes, pushes, pushesIn, scaled, wantedOf, warmUp } from './endpoints.js'
import { type Parts, residentAtRest, withStreams } from './parts.js'

const STREAMS = 2_000

/**
 * 1 % of the streams read nothing while the others are served. With and without them one server and its clients are measured by turns: two that are
 * started one after the other differ by more than what stuck readers cost.
 */
export function stuckReaders(): BenchCase {
  // Of this round, for the contender that is asked second.
  let kept: readonly [Sample, Sample] | undefined
  const half = (index: 0 | 1) => async (context: RoundContext) => {
    if (kept !== undefined) {
      const sample = kept[index]
      kept = undefined
      return sample
    }
    const wanted = wantedOf('ours', scaled(STREAMS, context.effort.scale))
    kept = await withStreams(wanted, context, (parts) => byTurns(parts, context))
    return kept[index]
  }
  const ours = contenderOf('ours', STREAMS, () => Promise.reject(new Error('measured by turns')))
  const free = { ...ours, name: 'the same server with no stuck stream', goal: { must: 1 / 1.1, after: 1 } }
  return {
    ...caseOf(`p99 of the others while 1 % of ${STREAMS} streams read nothing`, { ...ours, measure: half(0) }, []),
    peers: [{ ...free, measure: half(1) }],
  }
}

/** Stuck, free, free, stuck: what drifts meanwhile weighs on both alike. */
async function byTurns(parts: Parts, context: RoundContext): Promise<readonly [Sample, Sample]> {
  const stuck = Math.max(1, Math.round(parts.streams / 100))
  const times = pushesIn(context.effort.measureSeconds)
  const turn = async (readNothing: number, from: number): Promise<Pushes> => {
    parts.clients.send(`stuck ${readNothing}`)
    await parts.clients.line()
    // Not counted: those that were stuck catch up, those that are now get what they will not read.
    await pushes(parts, 1, from)
    return pushes(parts, times, from + 1)
  }
  await warmUp(parts, context)
  const first = await turn(stuck, 1_000)
  const free = [await turn(0, 2_000), await turn(0, 3_000)]
  const restMs = parts.streams < 100 ? 10 : undefined
  const without = await residentAtRest(parts.server, restMs)
  const last = await turn(stuck, 4_000)
  const grown = (await residentAtRest(parts.server, restMs)) - without
  return [sampleOf([first, last], { 'KB a stuck stream': grown / stuck }), sampleOf(free)]
}

function sampleOf(turns: readonly Pushes[], more: Readonly<Record<string, number>> = {}): Sample {
  const cpus = turns.flatMap(({ cpuMicros }) => cpuMicros ?? [])
  return {
    value: median(turns.map(({ p99Ms }) => p99Ms)),
    cpuMicros: cpus.length === 0 ? undefined : median(cpus),
    more: { 'median ms': median(turns.map(({ medianMs }) => medianMs)), ...more },
  }
}
