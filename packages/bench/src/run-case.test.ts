import { expect, it } from 'vitest'
import type { BenchCase, Contender, Sample } from './bench-case.js'
import type { Guard } from './guard.js'
import { type RunOptions, runCase } from './run-case.js'

const quiet: Guard = { begin: () => () => ({ share: 0 }) }

function options(changes: Partial<RunOptions> = {}): RunOptions {
  return {
    rounds: 3,
    effort: { warmupSeconds: 0, measureSeconds: 0, scale: 0 },
    placement: { subjectCore: 0, loadCore: 1, problem: undefined },
    guard: quiet,
    built: false,
    loaded: false,
    quietMs: 0,
    progress: () => {},
    sleep: async () => {},
    ...changes,
  }
}

interface Fake extends Partial<Contender> {
  readonly values?: readonly number[]
  readonly calls?: string[]
  readonly sample?: Partial<Sample>
}

function contender(name: string, { values = [1], calls = [], sample, ...rest }: Fake = {}): Contender {
  let at = 0
  return {
    name,
    missing: undefined,
    check: async () => void calls.push(`check ${name}`),
    async measure() {
      calls.push(name)
      return { value: values[at++ % values.length]!, cpuMicros: 10, ...sample }
    },
    ...rest,
  }
}

function bench(ours: Contender, peers: readonly Contender[], better: BenchCase['better'] = 'higher'): BenchCase {
  return { bench: 'b', name: 'c', unit: 'things/s', better, ours, peers }
}

it('checks all before it times any, and interleaves the rounds', async () => {
  const calls: string[] = []
  await runCase(bench(contender('us', { calls }), [contender('x', { calls }), contender('y', { calls })]), options())
  expect(calls).toEqual(['check us', 'check x', 'check y', 'us', 'x', 'y', 'x', 'y', 'us', 'y', 'us', 'x'])
})

it('takes the median of the rounds’ own ratios, so that a slow minute harms both', async () => {
  const us = contender('us', { values: [100, 10, 120] })
  const [row] = await runCase(bench(us, [contender('x', { values: [50, 5, 50] })]), options())
  expect(row).toMatchObject({ verdict: 'measured', ours: 100, peer: 50, ratio: 2, rounds: 3, cpu: { ours: 10, peer: 10 } })
  expect(row?.spread).toBeCloseTo(0.2)
})

it('turns the ratio round where less is better', async () => {
  const slow = contender('x', { values: [30] })
  expect((await runCase(bench(contender('us', { values: [10] }), [slow], 'lower'), options()))[0]?.ratio).toBe(3)
})

it('prints an absent peer as skipped, with the reason and without a number', async () => {
  const [row] = await runCase(bench(contender('us'), [contender('x', { missing: 'x is missing' })]), options())
  expect(row).toMatchObject({ verdict: 'skipped', why: 'x is missing', ours: null, peer: null, ratio: null })
})

it('gives no number for a peer that does the work wrong, and none at all when ours does', async () => {
  const wrong = async (): Promise<void> => {
    throw new Error('a body came back changed')
  }
  const one = await runCase(bench(contender('us'), [contender('x', { check: wrong }), contender('y')]), options())
  expect(one.map(({ verdict }) => verdict)).toEqual(['refused', 'measured'])
  expect(one[0]?.why).toBe('x is wrong, so nothing was measured: a body came back changed')
  const calls: string[] = []
  const all = await runCase(bench(contender('us', { check: wrong }), [contender('x', { calls })]), options())
  expect(all[0]).toMatchObject({ verdict: 'refused', ratio: null })
  expect(calls).toEqual(['check x'])
})

it('lets a contender that fails spoil its own row only', async () => {
  const measure = async (): Promise<Sample> => {
    throw new Error('it ended')
  }
  const rows = await runCase(bench(contender('us'), [contender('x', { measure }), contender('y')]), options())
  expect(rows.map(({ verdict }) => verdict)).toEqual(['refused', 'measured'])
  expect(rows[0]?.why).toBe('0 of 3 rounds count: x: it ended')
})

it('does not begin while others use the machine', async () => {
  const calls: string[] = []
  const guard: Guard = { begin: () => () => ({ share: 0.5 }) }
  const [row] = await runCase(bench(contender('us', { calls }), [contender('x', { calls })]), options({ guard }))
  expect(row).toMatchObject({ verdict: 'refused', why: 'before the start others used 50 % of a core, 5 % is the limit' })
  expect(calls).toEqual([])
})

it('repeats a round that a stranger spoiled', async () => {
  let windows = 0
  // Window 0 is the look before the start; 1 and 2 are the first round.
  const guard: Guard = { begin: () => () => ({ share: windows++ === 2 ? 1 : 0 }) }
  const us = contender('us', { values: [999, 10] })
  const [row] = await runCase(bench(us, [contender('x', { values: [10] })]), options({ guard, rounds: 2 }))
  expect(row).toMatchObject({ verdict: 'measured', rounds: 2 })
})

it('refuses when the load generator was the limit', async () => {
  const limited = contender('x', { sample: { unusable: 'the load generator was the limit' } })
  const [row] = await runCase(bench(contender('us'), [limited]), options())
  expect(row).toMatchObject({ verdict: 'refused', ratio: null, why: '0 of 3 rounds count: the load generator was the limit' })
})

it('marks what it could not pin or watch', async () => {
  const placement = { subjectCore: undefined, loadCore: undefined, problem: 'not pinned: darwin has no taskset' }
  const guard: Guard = { begin: () => () => ({ share: undefined }) }
  const [row] = await runCase(bench(contender('us'), [contender('x')]), options({ placement, guard }))
  expect(row?.notes).toEqual(['not pinned: darwin has no taskset', 'foreign load unknown: no /proc/stat'])
})
