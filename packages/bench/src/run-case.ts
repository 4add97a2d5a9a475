import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BenchCase, Contender, Effort, RoundContext, Row, Sample } from './bench-case.js'
import { foreignLoadProblem, type Guard } from './guard.js'
import type { Placement } from './placement.js'
import { median, mediansByName, spread } from './statistics.js'

/** Below this many rounds nothing is said. */
export const LEAST_ROUNDS = 3

export interface RunOptions {
  readonly rounds: number
  readonly effort: Effort
  readonly placement: Placement
  readonly guard: Guard
  readonly built: boolean
  /** True: runs on a machine that others use; their rounds still do not count. */
  readonly loaded: boolean
  /** Looked at before a case starts, in milliseconds. */
  readonly quietMs: number
  readonly progress: (text: string) => void
  readonly sleep: (ms: number) => Promise<unknown>
}

/** The samples of one round, by contender; a round counts as a whole or not at all. */
type Round = ReadonlyMap<Contender, Sample>

/** Checks every contender, runs the rounds interleaved, and says what they say: one row a peer. */
export async function runCase(bench: BenchCase, options: RunOptions): Promise<readonly Row[]> {
  const refuseAll = (why: string): Row[] => bench.peers.map((peer) => emptyRow(bench, peer, 'refused', why))
  if (bench.ours.missing !== undefined) return bench.peers.map((peer) => emptyRow(bench, peer, 'skipped', bench.ours.missing!))
  const loud = await loudBefore(options)
  if (loud !== undefined && !options.loaded) return refuseAll(loud)

  const wrong = new Map<Contender, string>()
  for (const contender of [bench.ours, ...bench.peers.filter(({ missing }) => missing === undefined)]) {
    const problem = await inFolder(options, (context) => problemOf(contender.check(context)))
    if (problem !== undefined) wrong.set(contender, `${contender.name} is wrong, so nothing was measured: ${problem}`)
  }
  const ours = wrong.get(bench.ours)
  if (ours !== undefined) return refuseAll(ours)

  const running = bench.peers.filter((peer) => peer.missing === undefined && !wrong.has(peer))
  const { rounds, why } = await runRounds([bench.ours, ...running], bench, options)
  return bench.peers.map((peer) => {
    if (peer.missing !== undefined) return emptyRow(bench, peer, 'skipped', peer.missing)
    const problem = wrong.get(peer)
    if (problem !== undefined) return emptyRow(bench, peer, 'refused', problem)
    return judge(bench, peer, rounds, why, options)
  })
}

async function loudBefore({ guard, quietMs, sleep }: RunOptions): Promise<string | undefined> {
  const end = guard.begin()
  await sleep(quietMs)
  const problem = foreignLoadProblem(end())
  return problem === undefined ? undefined : `before the start ${problem}`
}

async function runRounds(
  contenders: readonly Contender[],
  bench: BenchCase,
  options: RunOptions,
): Promise<{ rounds: readonly Round[]; why: string | undefined }> {
  const rounds: Round[] = []
  let why: string | undefined
  // As many again for rounds that a stranger spoiled.
  for (let attempt = 0; rounds.length < options.rounds && attempt < options.rounds * (options.loaded ? 1 : 2); attempt++) {
    const round = new Map<Contender, Sample>()
    let spoiled: string | undefined
    for (const contender of rotate(contenders, attempt)) {
      const end = options.guard.begin()
      const sample = await inFolder(options, (context) => measured(contender, context))
      spoiled ??= foreignLoadProblem(end())
      round.set(contender, sample)
      options.progress(
        `${bench.bench} ${bench.name}: ${contender.name} ${sample.unusable ?? `${sample.value.toFixed(1)} ${bench.unit}`}`,
      )
    }
    why = spoiled ?? why
    if (spoiled === undefined) rounds.push(round)
    else options.progress(`${bench.bench} ${bench.name}: the round does not count: ${spoiled}`)
  }
  return { rounds, why }
}

/** Each round begins with another contender, so that none always runs on the warmest or coolest machine. */
function rotate<T>(items: readonly T[], by: number): readonly T[] {
  const at = by % items.length
  return [...items.slice(at), ...items.slice(0, at)]
}

async function measured(contender: Contender, context: RoundContext): Promise<Sample> {
  try {
    return await contender.measure(context)
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error)
    return { value: Number.NaN, cpuMicros: undefined, unusable: `${contender.name}: ${what}` }
  }
}

function judge(
  bench: BenchCase,
  peer: Contender,
  rounds: readonly Round[],
  spoiled: string | undefined,
  options: RunOptions,
): Row {
  const pairs = rounds.map((round) => ({ ours: round.get(bench.ours)!, peer: round.get(peer)! }))
  const unusable = pairs.flatMap((pair) => pair.ours.unusable ?? pair.peer.unusable ?? [])
  const good = pairs.filter((pair) => pair.ours.unusable === undefined && pair.peer.unusable === undefined)
  if (good.length < Math.min(LEAST_ROUNDS, options.rounds)) {
    const reason = unusable[0] ?? spoiled ?? 'no round was run'
    return {
      ...emptyRow(bench, peer, 'refused', `${good.length} of ${options.rounds} rounds count: ${reason}`),
      rounds: good.length,
    }
  }
  const ratios = good.map((pair) => ratioOf(bench, pair.ours.value, pair.peer.value))
  const middle = (of: 'ours' | 'peer'): number => median(good.map((pair) => pair[of].value))
  const cpu = (of: 'ours' | 'peer'): number | null => {
    const known = good.flatMap((pair) => pair[of].cpuMicros ?? [])
    return known.length === 0 ? null : median(known)
  }
  return {
    ...emptyRow(bench, peer, 'measured', undefined),
    ours: middle('ours'),
    peer: middle('peer'),
    ratio: median(ratios),
    rounds: good.length,
    spread: spread(ratios),
    cpu: { ours: cpu('ours'), peer: cpu('peer') },
    more: {
      ours: mediansByName(good.map((pair) => pair.ours.more ?? {})),
      peer: mediansByName(good.map((pair) => pair.peer.more ?? {})),
    },
    notes: notesOf(options),
  }
}

/** Above 1: ours is better. */
function ratioOf({ better }: BenchCase, ours: number, peer: number): number {
  return better === 'higher' ? ours / peer : peer / ours
}

function notesOf({ placement, guard }: RunOptions): readonly string[] {
  const unknown = guard.begin()().share === undefined ? ['foreign load unknown: no /proc/stat'] : []
  return [...(placement.problem === undefined ? [] : [placement.problem]), ...unknown]
}

function emptyRow(bench: BenchCase, peer: Contender, verdict: Row['verdict'], why: string | undefined): Row {
  return {
    bench: bench.bench,
    case: bench.name,
    ours: null,
    peer: null,
    peerName: peer.name,
    ratio: null,
    rounds: 0,
    spread: null,
    unit: bench.unit,
    verdict,
    ...(why === undefined ? {} : { why }),
    cpu: { ours: null, peer: null },
    more: { ours: {}, peer: {} },
    notes: [],
    ...(peer.goal === undefined ? {} : { goal: peer.goal }),
  }
}

async function problemOf(check: Promise<void>): Promise<string | undefined> {
  try {
    await check
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Runs `use` with an empty folder, deleted afterwards. */
export async function inFolder<T>(
  { placement, effort, built }: Pick<RunOptions, 'placement' | 'effort' | 'built'>,
  use: (context: RoundContext) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-bench-'))
  try {
    return await use({ placement, effort, folder, built })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
