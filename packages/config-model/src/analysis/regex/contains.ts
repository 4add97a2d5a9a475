import type { Automaton } from './automaton.js'

/** What comparing may still cost, in states looked at. */
export interface Budget {
  left: number
}

/** Whether every text that `inner` matches is one that `outer` matches; false too where the budget ends before that is known. */
export function contains(outer: Automaton, inner: Automaton, budget: Budget): boolean {
  const alphabet = samples(outer, inner)
  const first = { outer: closure(outer, [outer.start]), inner: closure(inner, [inner.start]) }
  const seen = new Set([keyOf(first)])
  const queue = [first]
  for (let step = queue.pop(); step !== undefined; step = queue.pop()) {
    if (step.inner.includes(inner.end) && !step.outer.includes(outer.end)) return false
    for (const char of alphabet) {
      budget.left -= step.outer.length + step.inner.length
      if (budget.left < 0) return false
      const next = { outer: read(outer, step.outer, char), inner: read(inner, step.inner, char) }
      const key = keyOf(next)
      if (next.inner.length === 0 || seen.has(key)) continue
      seen.add(key)
      queue.push(next)
    }
  }
  return true
}

// One character of each class of characters that neither automaton tells apart.
function samples(...automata: readonly Automaton[]): readonly number[] {
  const starts = automata.flatMap(({ reading }) => reading.flatMap((edges) => edges.flatMap(([[from, to]]) => [from, to + 1])))
  return [...new Set(starts)]
}

function read(automaton: Automaton, states: readonly number[], char: number): readonly number[] {
  const reached = states.flatMap((state) =>
    automaton.reading[state]!.flatMap(([[from, to], next]) => (from <= char && char <= to ? [next] : [])),
  )
  return closure(automaton, reached)
}

function closure({ free }: Automaton, states: readonly number[]): readonly number[] {
  const reached = new Set(states)
  for (const state of reached) for (const next of free[state]!) reached.add(next)
  return [...reached].sort((a, b) => a - b)
}

function keyOf({ outer, inner }: { readonly outer: readonly number[]; readonly inner: readonly number[] }): string {
  return `${outer.join()} ${inner.join()}`
}
