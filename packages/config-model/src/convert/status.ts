import { equal } from '@heddle/runtime'
import type { KindName } from '../kinds/index.js'
import type { Resource, ResourceKey } from '../resource.js'

/** A Kubernetes condition. */
export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  reason: string
  message: string
  observedGeneration?: number
  /** As the object has it while its status is the same; absent where it has changed: whoever writes the status knows the time. */
  lastTransitionTime?: string
}

/** The status that an object should have. */
export interface ResourceStatus {
  /** `HTTPRoute shop/tea`. */
  readonly key: ResourceKey
  /** With the version that a writer should use. */
  readonly apiVersion: string
  /** As written: `Gateway` for a KubernetesGateway. */
  readonly kind: string
  readonly source: KindName
  readonly namespace: string
  readonly name: string
  /** The whole status, what other controllers wrote included. */
  readonly status: Readonly<Record<string, unknown>>
}

/** What a condition should say; `problem` turns it into its opposite. */
export interface Verdict {
  reason: string
  message: string
  /** Where all is well. Default True. */
  status?: 'True' | 'False'
  problem?: Problem | undefined
}

export interface Problem {
  readonly reason: string
  readonly message: string
}

/** The conditions with each verdict in place of what was said of its type; others stay. New ones come in order of their names. */
export function withVerdicts(
  existing: readonly Condition[],
  verdicts: Readonly<Record<string, Verdict>>,
  generation: number | undefined,
): readonly Condition[] {
  const conditions = [...existing]
  for (const type of Object.keys(verdicts).sort()) {
    const next = conditionOf(type, verdicts[type]!, generation)
    const at = conditions.findIndex((one) => one.type === type)
    if (at < 0) conditions.push(next)
    else conditions[at] = carryTime(conditions[at]!, next)
  }
  return conditions
}

function conditionOf(type: string, verdict: Verdict, generation: number | undefined): Condition {
  const { problem, status: well = 'True' } = verdict
  const { reason, message } = problem ?? verdict
  const status = problem === undefined ? well : well === 'True' ? 'False' : 'True'
  return { type, status, reason, message, ...(generation === undefined ? {} : { observedGeneration: generation }) }
}

function carryTime(before: Condition, after: Condition): Condition {
  const { lastTransitionTime, ...rest } = before
  if (equal(rest, after)) return before
  return lastTransitionTime !== undefined && before.status === after.status ? { ...after, lastTransitionTime } : after
}

/** The conditions that a status has, as far as they are any. */
export function conditionsIn(status: unknown): readonly Condition[] {
  return listIn<Condition>(status, 'conditions')
}

/** A list of objects at that field of something that was read without a type. */
export function listIn<T extends object>(value: unknown, field: string): readonly T[] {
  if (typeof value !== 'object' || value === null) return []
  const list = (value as Readonly<Record<string, unknown>>)[field]
  return Array.isArray(list) ? (list.filter((one) => typeof one === 'object' && one !== null) as T[]) : []
}

/** A status of that object. */
export function statusOf(
  { kind, metadata }: Resource,
  written: { apiVersion: string; kind: string },
  status: Readonly<Record<string, unknown>>,
): ResourceStatus {
  const { namespace, name } = metadata
  return { key: `${kind} ${namespace}/${name}`, source: kind as KindName, namespace, name, ...written, status }
}
