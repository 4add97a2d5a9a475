import type { Reporter, TestCase, TestModule } from 'vitest/node'

export interface Counts {
  readonly passed: number
  readonly failed: number
  /** Full names of what was skipped. */
  readonly skipped: readonly string[]
}

/** A file that could not be loaded is a failure of its own. */
export function countTests(modules: readonly Pick<TestModule, 'state' | 'children'>[]): Counts {
  const tests = modules.map((module) => [...module.children.allTests()])
  const broken = modules.filter((module, i) => module.state() === 'failed' && !tests[i]!.some(inState('failed')))
  return {
    passed: tests.flat().filter(inState('passed')).length,
    failed: tests.flat().filter(inState('failed')).length + broken.length,
    skipped: tests
      .flat()
      .filter(inState('skipped'))
      .map((test) => `${test.module.relativeModuleId} > ${test.fullName}`),
  }
}

const inState =
  (state: string) =>
  (test: TestCase): boolean =>
    test.result().state === state

/**
 * The closing line that contract and CI read. With `complete` a skipped test is a failure: where everything is installed, what did not
 * run is not known to work. Long drills, with `soak` in their names, may wait until `soak` asks for them.
 */
export function closingReporter({ complete, filtered, soak }: { complete: boolean; filtered: boolean; soak: boolean }): Reporter {
  return {
    onTestRunEnd(modules) {
      const { passed, failed, skipped } = countTests(modules)
      const missed = complete && !filtered ? skipped.filter((name) => soak || !name.includes('soak')) : []
      for (const name of missed) console.log(`did not run: ${name}`)
      if (missed.length > 0) process.exitCode = 1
      console.log(`${passed} passed, ${failed + missed.length} failed`)
    },
  }
}
