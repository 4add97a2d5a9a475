import type { Reporter, TestCase, TestModule } from 'vitest/node'

export interface Counts {
  readonly passed: number
  readonly failed: number
  /** Full names of what was skipped. */
  readonly skipped: readonly string[]
  /** Full names of what passed at a second try only. */
  readonly flaky: readonly string[]
}

/** A file that could not be loaded is a failure of its own. */
export function countTests(modules: readonly Pick<TestModule, 'state' | 'children'>[]): Counts {
  const tests = modules.map((module) => [...module.children.allTests()])
  const broken = modules.filter((module, i) => module.state() === 'failed' && !tests[i]!.some(inState('failed')))
  return {
    passed: tests.flat().filter(inState('passed')).length,
    failed: tests.flat().filter(inState('failed')).length + broken.length,
    skipped: tests.flat().filter(inState('skipped')).map(nameOf),
    flaky: tests.flat().filter(isFlaky).map(nameOf),
  }
}

const nameOf = (test: TestCase): string => `${test.module.relativeModuleId} > ${test.fullName}`
const isFlaky = (test: TestCase): boolean => test.diagnostic()?.flaky === true

const inState =
  (state: string) =>
  (test: TestCase): boolean =>
    test.result().state === state

/**
 * The closing line that contract and CI read. With `complete` a skipped test is a failure: where everything is installed, what did not
 * run is not known to work. Long drills, with `soak` in their names, may wait until `soak` asks for them. Where tries are repeated, what
 * needed a second one is named: it passes, and is somebody's next work.
 */
export function closingReporter({ complete, filtered, soak }: { complete: boolean; filtered: boolean; soak: boolean }): Reporter {
  return {
    onTestRunEnd(modules) {
      const { passed, failed, skipped, flaky } = countTests(modules)
      const missed = complete && !filtered ? skipped.filter((name) => soak || !name.includes('soak')) : []
      for (const name of missed) console.log(`did not run: ${name}`)
      if (missed.length > 0) process.exitCode = 1
      for (const name of flaky) console.log(`passed at its second try: ${name}`)
      console.log(`${passed} passed, ${failed + missed.length} failed`)
    },
  }
}
