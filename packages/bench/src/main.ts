import { parseArgs } from 'node:util'
import type { BenchCase, Row } from './bench-case.js'
import { formatJson, formatRow } from './report.js'

const USAGE = `usage: pnpm bench [NAME] [-o json] [--rounds N] [--seconds S]
  NAME         only the benches whose name begins so
  -o json      one list of rows {bench, case, ours, peer, peerName, ratio, rounds, spread, …}
  --rounds N   interleaved rounds (default 5, 3 at least for a verdict)
  --seconds S  measured time of each contender in each round (default 5)
  --loaded     run though others use the CPU, to try a bench out: such rounds are shown and never counted
  --list       the benches, their cases and peers
`

export interface Settings {
  readonly rounds: number
  readonly seconds: number
  readonly loaded: boolean
}

export interface Io {
  out(text: string): void
  err(text: string): void
  /** Runs one case, telling on `err` how far it is. */
  run(bench: BenchCase, settings: Settings): Promise<readonly Row[]>
  /** Gets all rows of the run. */
  publish(rows: readonly Row[]): Promise<void>
}

/** Exit code: 0; 1 when a row was refused, 64 for wrong use. A skipped row is no failure. */
export async function main(args: readonly string[], cases: readonly BenchCase[], io: Io): Promise<number> {
  const wanted = readArgs(args, cases)
  if (typeof wanted === 'string') {
    io.err(wanted)
    return wanted === USAGE ? 0 : 64
  }
  if (wanted.list) {
    for (const { bench, name, peers } of wanted.cases)
      io.out(`${bench} | ${name} | ${peers.map((peer) => peer.missing ?? peer.name).join(', ')}\n`)
    return 0
  }
  const rows: Row[] = []
  for (const bench of wanted.cases) {
    const own = await io.run(bench, wanted)
    rows.push(...own)
    if (!wanted.json) for (const row of own) io.out(formatRow(row))
  }
  if (wanted.json) io.out(formatJson(rows))
  await io.publish(rows)
  return rows.some(({ verdict }) => verdict === 'refused') ? 1 : 0
}

interface Wanted extends Settings {
  readonly cases: readonly BenchCase[]
  readonly json: boolean
  readonly list: boolean
}

function readArgs(args: readonly string[], all: readonly BenchCase[]): Wanted | string {
  try {
    const { values, positionals } = parseArgs({
      // pnpm hands a `--` on.
      args: args.filter((arg) => arg !== '--'),
      allowPositionals: true,
      options: {
        output: { type: 'string', short: 'o' },
        rounds: { type: 'string', default: '5' },
        seconds: { type: 'string', default: '5' },
        loaded: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.help === true) return USAGE
    const [name = '', ...rest] = positionals
    if (rest.length > 0) return `one NAME at most\n${USAGE}`
    if (values.output !== undefined && values.output !== 'json') return `-o ${values.output}: only json is known\n`
    const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)]
    if (!Number.isInteger(rounds) || rounds < 1) return `--rounds takes a whole number above 0, not ${values.rounds}\n`
    if (!Number.isInteger(seconds) || seconds < 1) return `--seconds takes a whole number above 0, not ${values.seconds}\n`
    const cases = all.filter(({ bench }) => bench.startsWith(name))
    if (cases.length === 0)
      return `there is no bench ${name}; benches: ${[...new Set(all.map(({ bench }) => bench))].join(', ')}\n`
    return { cases, rounds, seconds, json: values.output === 'json', list: values.list, loaded: values.loaded }
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n${USAGE}`
  }
}
