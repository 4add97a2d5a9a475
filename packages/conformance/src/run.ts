import { type DataFile, findData } from './data.js'
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
      else cases.push(...(await settled(suite, file, knownMisses(suite.name))))
    }
    yield judge(suite.name, suite.run !== undefined, cases, knownMisses(suite.name))
  }
}

/** With more misses than these something is broken, not late. */
const MOST_LATE = 12

/** The cases of a file; what misses unexpectedly may try again where the suite lets it. */
async function settled(suite: Suite, file: DataFile, known: KnownMisses): Promise<readonly CaseResult[]> {
  const cases: CaseResult[] = []
  for await (const result of safely(suite.name, suite.run!(file))) cases.push(result)
  const late = cases.filter(({ id, ok }) => !ok && known.reasonOf(id) === undefined)
  if (suite.again === undefined || late.length > MOST_LATE) return cases
  const second = new Map<CaseResult, CaseResult>()
  for (const first of late) second.set(first, (await suite.again(file, first.id).catch(() => undefined)) ?? first)
  return cases.map((one) => second.get(one) ?? one)
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
