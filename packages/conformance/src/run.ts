import { findData } from './data.js'
import { type KnownMisses, readKnownMisses } from './known-misses.js'
import { judge, type SuiteResult } from './report.js'
import type { CaseResult, Suite } from './suite.js'

/** Runs the suites that have data in these folders, one after another. */
export async function* runSuites(
  suites: readonly Suite[],
  folders: readonly string[],
  knownMisses: (suite: string) => KnownMisses = readKnownMisses,
): AsyncGenerator<SuiteResult> {
  for (const suite of suites) {
    const files = findData(folders, suite.file)
    if (files.length === 0) continue
    const cases: CaseResult[] = []
    for (const file of files) {
      if (suite.run === undefined) cases.push(...idsOf(suite, file.json()).map((id) => ({ id, ok: false, why: 'not yet' })))
      else for await (const result of safely(suite.name, suite.run(file))) cases.push(result)
    }
    yield judge(suite.name, suite.run !== undefined, cases, knownMisses(suite.name))
  }
}

/** A suite that cannot run is a miss of its own, and the others run all the same. */
async function* safely(suite: string, results: AsyncIterable<CaseResult>): AsyncGenerator<CaseResult> {
  try {
    yield* results
  } catch (error) {
    yield { id: suite, ok: false, why: `cannot run: ${error instanceof Error ? error.message : String(error)}` }
  }
}

function idsOf(suite: Suite, data: unknown): readonly string[] {
  return suite.ids?.(data) ?? (data as readonly { id: string | number }[]).map(({ id }) => String(id))
}
