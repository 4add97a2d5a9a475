import type { AnalysisContext } from '../context.js'
import type { ConfigObject } from '../object.js'
import type { Workload } from '../workloads.js'

/** Who selects what, in their own namespace. */
export interface Overlaps<O> {
  /** Objects that select nothing. */
  readonly unmatched: readonly O[]
  /** The objects that select a workload, in their order. */
  readonly byWorkload: ReadonlyMap<Workload, readonly O[]>
}

export function overlaps<O extends ConfigObject>(
  objects: readonly O[],
  selectorOf: (object: O) => Readonly<Record<string, string>>,
  context: AnalysisContext,
): Overlaps<O> {
  const unmatched: O[] = []
  const byWorkload = new Map<Workload, O[]>()
  for (const object of objects) {
    const selected = context.workloads.in(object.metadata.namespace).select(selectorOf(object))
    if (selected.length === 0) unmatched.push(object)
    for (const workload of selected) {
      const list = byWorkload.get(workload)
      if (list === undefined) byWorkload.set(workload, [object])
      else list.push(object)
    }
  }
  return { unmatched, byWorkload }
}
