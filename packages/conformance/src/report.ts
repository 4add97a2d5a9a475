import type { KnownMisses } from './known-misses.js'
import type { CaseResult } from './suite.js'

export interface SuiteResult {
  readonly suite: string
  /** False: not yet; then every case is one that did not pass. */
  readonly ran: boolean
  readonly cases: readonly CaseResult[]
  readonly passed: number
  readonly total: number
  readonly knownMisses: number
  /** Misses that nobody listed. */
  readonly misses: readonly CaseResult[]
  /** Listed as misses, but they pass: the list is out of date. */
  readonly stale: readonly string[]
  /** Cases that pass and count: neither stale nor listed to go either way. */
  readonly good: number
}

export function judge(suite: string, ran: boolean, cases: readonly CaseResult[], known: KnownMisses): SuiteResult {
  const count = (of: 'passed' | 'total'): number =>
    cases.reduce((sum, { ok, parts }) => sum + (parts?.[of] ?? (of === 'total' || ok ? 1 : 0)), 0)
  const failing = cases.filter(({ ok }) => !ok)
  const passing = cases.filter(({ ok }) => ok)
  const misses = ran ? failing.filter(({ id }) => known.reasonOf(id) === undefined) : []
  return {
    suite,
    ran,
    cases,
    passed: count('passed'),
    total: count('total'),
    knownMisses: ran ? failing.length - misses.length : 0,
    misses,
    stale: passing.filter(({ id }) => known.reasonOf(id) !== undefined && !known.eitherWay(id)).map(({ id }) => id),
    good: passing.filter(({ id }) => known.reasonOf(id) === undefined).length,
  }
}

export function isFailure({ misses, stale }: SuiteResult): boolean {
  return misses.length + stale.length > 0
}

/** `validation: 495/501, 6 known misses`, then a line for each case that should be otherwise. */
export function formatText(result: SuiteResult): string {
  const { suite, ran, passed, total, knownMisses, misses, stale } = result
  if (!ran) return `${suite}: not yet (${total} case${total === 1 ? '' : 's'})\n`
  const known = knownMisses === 0 ? '' : `, ${knownMisses} known miss${knownMisses === 1 ? '' : 'es'}`
  const lines = [
    `${suite}: ${passed}/${total}${known}`,
    ...misses.map(({ id, why = '' }) => `  miss ${id}: ${oneLine(why)}`),
    ...stale.map((id) => `  listed as a known miss, but passes: ${id}`),
  ]
  return `${lines.join('\n')}\n`
}

/** `N passed, N failed`, in cases: known misses and what does not exist yet are neither. `missing`: suites that should have run. */
export function closingLine(results: readonly SuiteResult[], missing = 0): string {
  const failed = results.reduce((sum, { misses, stale }) => sum + misses.length + stale.length, missing)
  const passed = results.reduce((sum, { good }) => sum + good, 0)
  return `${passed} passed, ${failed} failed\n`
}

/** One object, `{suite: {passed, total, cases: [{id, ok, why}]}}`. */
export function formatJson(results: readonly SuiteResult[]): string {
  const entries = results.map(({ suite, passed, total, cases }) => [
    suite,
    { passed, total, cases: cases.map(({ id, ok, why }) => (ok ? { id, ok } : { id, ok, why })) },
  ])
  return `${JSON.stringify(Object.fromEntries(entries))}\n`
}

function oneLine(text: string): string {
  const flat = text.replace(/\s*\n\s*/g, ' | ')
  return flat.length > 400 ? `${flat.slice(0, 400)}…` : flat
}
