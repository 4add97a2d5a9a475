import { parseArgs } from 'node:util'
import { dataFolders } from './data.js'
import { type KnownMisses, pruneKnownMisses } from './known-misses.js'
import { closingLine, formatJson, formatText, isFailure, type SuiteResult } from './report.js'
import { runSuites } from './run.js'
import type { Suite } from './suite.js'

const USAGE = `usage: pnpm conformance [--data DIR]… [--suite NAME] [-o json] [--prune]
  --data DIR     a folder of case files; may be repeated; default: the folders of HEDDLE_CONFORMANCE
  --suite NAME   only that suite; may be repeated
  -o json        one object {suite: {passed, total, cases: [{id, ok, why}]}}
  --prune        take listed misses that pass off the lists
  --complete     a suite without data is a failure
`

export interface Io {
  out(text: string): void
  err(text: string): void
  readonly env: Readonly<Record<string, string | undefined>>
  /** By suite; the lists of this package by default. */
  knownMisses?(suite: string): KnownMisses
}

/** Exit code: 0, 1 for unlisted misses and listed cases that pass, 64 for wrong use. */
export async function main(args: readonly string[], suites: readonly Suite[], io: Io): Promise<number> {
  const read = readArgs(args, suites)
  if (typeof read === 'string') {
    io.err(read)
    return read === USAGE ? 0 : 64
  }
  const folders = dataFolders(read.data, io.env['HEDDLE_CONFORMANCE'])
  const results: SuiteResult[] = []
  for await (const result of runSuites(read.suites, folders, io.knownMisses)) {
    results.push(result)
    if (!read.json) io.out(formatText(result))
    if (read.prune && result.stale.length > 0) pruneKnownMisses(result.suite, result.cases)
  }
  const missing = read.complete ? read.suites.filter(({ name }) => results.every(({ suite }) => suite !== name)) : []
  for (const { name, file } of missing) io.err(`${name}: no data: there is no ${file}\n`)
  if (read.json) io.out(formatJson(results))
  else if (results.length > 0) io.out(closingLine(results, missing.length))
  if (results.length === 0) {
    const where = folders.length === 0 ? 'neither --data nor HEDDLE_CONFORMANCE names a folder' : `none in ${folders.join(', ')}`
    io.err(`conformance: no data, nothing was compared: ${where}\n`)
  }
  return missing.length > 0 || results.some((result) => (read.prune ? result.misses.length > 0 : isFailure(result))) ? 1 : 0
}

interface Wanted {
  readonly data: readonly string[]
  readonly suites: readonly Suite[]
  readonly json: boolean
  readonly prune: boolean
  readonly complete: boolean
}

function readArgs(args: readonly string[], suites: readonly Suite[]): Wanted | string {
  try {
    const { values } = parseArgs({
      // pnpm hands a `--` on.
      args: args.filter((arg) => arg !== '--'),
      options: {
        data: { type: 'string', multiple: true },
        suite: { type: 'string', multiple: true },
        output: { type: 'string', short: 'o' },
        prune: { type: 'boolean', default: false },
        complete: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h' },
      },
    })
    const { data = [], suite: names = [], output, prune, complete, help } = values
    if (help === true) return USAGE
    const unknown = names.find((name) => suites.every((suite) => suite.name !== name))
    if (unknown !== undefined) return `there is no suite ${unknown}; suites: ${suites.map(({ name }) => name).join(', ')}\n`
    if (output !== undefined && output !== 'json') return `-o ${output}: only json is known\n`
    return {
      data,
      json: output === 'json',
      prune,
      complete,
      suites: names.length === 0 ? suites : suites.filter(({ name }) => names.includes(name)),
    }
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n${USAGE}`
  }
}
