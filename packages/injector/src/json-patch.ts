import { createPatch, type Operation } from 'rfc6902'
import type { KubernetesObject } from './kubernetes.js'

export type JsonPatch = readonly Operation[]

/** RFC 6902: what makes `after` of `before`, as an admission webhook answers. Empty where both say the same. */
export function jsonPatch(before: KubernetesObject, after: KubernetesObject): JsonPatch {
  return before === after ? [] : createPatch(before, after)
}
