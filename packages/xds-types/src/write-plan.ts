import { KIND } from './kinds.js'
import { misfit } from './misfit.js'
import { wireTypeOf } from './scalars.js'
import type { Field, Table } from './types.js'

/** How a field is written: one number instead of a row of questions. */
export const HOW = { text: 0, message: 1, messages: 2, wellKnown: 3, scalar: 4, enum: 5, texts: 6, list: 7, map: 8 } as const

/**
 * One more key of an object on the way from the first to the last. Programs make their objects alike, so what follows from the names
 * alone (which fields they are, that no two exclude each other, in which order the wire wants them) is found out once for each row of names.
 */
export interface Step {
  /** As the object spells it, the very string that `for in` gives: comparing it again compares two pointers. */
  readonly key: string
  /** None of the type of an Any, which is no field, and of the start. */
  readonly field: Field | undefined
  readonly nullable: boolean
  readonly presence: boolean
  /** A number of {@link HOW}. */
  readonly how: number
  /** Number and wire type, as the wire has them. */
  readonly tag: number
  /** Where the value is among the object's set ones; -1 at the start. */
  readonly slot: number
  readonly before: Step | undefined
  /** Guesses for the next key: that of the first object, and the last other one. */
  usual: Step | undefined
  other: Step | undefined
  others: Map<string, Step> | undefined
  plan: readonly Step[] | undefined
}

/** The steps of a type's objects. */
export interface Walks {
  start: Step
  size: number
}

/** Objects of a type that differ in more ways begin to be learned anew: what comes from outside cannot fill the memory. */
const MAX_STEPS = 1000

export function createWalks(): Walks {
  return { start: createStep('', undefined, undefined), size: 0 }
}

/** From `step` over `key`; undefined when the type has no such field. @throws Misfit when a key before excludes it. */
export function stepOver(step: Step, key: string, { byName, walks }: Table): Step | undefined {
  if (step.other?.key === key) return step.other
  const known = step.others?.get(key)
  if (known !== undefined) {
    step.other = known
    return known
  }
  const field = byName.get(key)
  if (field === undefined && key !== '@type') return undefined
  if (field !== undefined) refuseSecond(step, field)
  const next = createStep(key, field, step)
  if (++walks.size > MAX_STEPS) Object.assign(walks, createWalks())
  step.others ??= new Map()
  step.others.set(key, next)
  if (step.usual === undefined) step.usual = next
  else step.other = next
  return next
}

/** The set fields of an object whose last key this is, by ascending number. */
export function planOf(step: Step): readonly Step[] {
  return (step.plan ??= createPlan(step))
}

function createPlan(last: Step): readonly Step[] {
  const plan: Step[] = []
  for (let step: Step | undefined = last; step !== undefined; step = step.before) if (step.field !== undefined) plan.push(step)
  return plan.sort((a, b) => (a.field as Field).id - (b.field as Field).id)
}

function refuseSecond(last: Step, { name, jsonName, oneof }: Field): void {
  for (let step: Step | undefined = last; step !== undefined; step = step.before) {
    const other = step.field
    if (other?.name === name) misfit(`'${name}' is given twice, as '${name}' and '${jsonName}'`)
    if (oneof !== undefined && other?.oneof === oneof)
      misfit(`only one of '${other.name}' and '${name}' may be set (oneof ${oneof.name})`)
  }
}

function createStep(key: string, field: Field | undefined, before: Step | undefined): Step {
  const how = field === undefined ? HOW.scalar : howOf(field)
  const wireType = field === undefined || how === HOW.map || field.packed ? 2 : wireTypeOf(field.kind)
  return {
    key,
    field,
    nullable: field?.nullable ?? false,
    presence: field?.presence ?? false,
    how,
    tag: (((field?.id ?? 0) << 3) | wireType) >>> 0,
    slot: before === undefined ? -1 : before.slot + 1,
    before,
    usual: undefined,
    other: undefined,
    others: undefined,
    plan: undefined,
  }
}

function howOf({ map, repeated, kind, message, wellKnown, enum: names }: Field): number {
  if (map) return HOW.map
  if (message !== undefined) return repeated ? HOW.messages : HOW.message
  if (kind === KIND.string) return repeated ? HOW.texts : HOW.text
  if (repeated) return HOW.list
  if (wellKnown !== undefined) return HOW.wellKnown
  return names === undefined ? HOW.scalar : HOW.enum
}
