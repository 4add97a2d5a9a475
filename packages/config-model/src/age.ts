import type { ObjectMeta } from './resource.js'
import { compareText } from './sorted-list.js'

/** What decides which of two objects is older. */
export type Age = readonly [time: number, name: string, namespace: string]

/** Istio's order of configs (pilot/pkg/model: sortConfigByCreationTime): by age, then by name, then by namespace. An object without a time is as old as can be. */
export function ageOf({ name, namespace, creationTimestamp }: ObjectMeta): Age {
  const time = creationTimestamp === undefined ? 0 : Date.parse(creationTimestamp)
  return [Number.isNaN(time) ? 0 : time, name, namespace]
}

export function compareAge(a: Age, b: Age): number {
  return a[0] - b[0] || compareText(a[1], b[1]) || compareText(a[2], b[2])
}

/** Objects with the oldest first. */
export function oldestFirst<R extends { readonly metadata: ObjectMeta }>(resources: readonly R[]): readonly R[] {
  if (resources.length < 2) return resources
  return resources
    .map((resource) => [ageOf(resource.metadata), resource] as const)
    .sort(([a], [b]) => compareAge(a, b))
    .map(([, resource]) => resource)
}
