import type { MessageType } from '@heddle/xds-types'
import { knownTypes } from '@heddle/xds-types/known'

type Message = Readonly<Record<string, unknown>>

/** What becomes of the elements of a list that both have. */
export type ListMerge = 'append' | 'replace'

/** Hears that `to` is a changed copy of `from`. */
export type Copied = (from: object, to: object) => void

/**
 * Protobuf's merge on messages in canonical JSON, as istiod does it for EnvoyFilter: what `patch` sets wins, messages merge, lists grow, entries of
 * maps and Durations are replaced, and so is an Any inside. Neither argument changes.
 */
export function mergeMessage(
  type: MessageType<unknown>,
  base: Message,
  patch: Message,
  lists: ListMerge,
  copied: Copied,
): Message {
  const out: Record<string, unknown> = { ...base }
  for (const [name, value] of Object.entries(patch)) {
    const field = type.table.byName.get(name)
    if (field === undefined || value === undefined) continue
    if (isUnset(field, value)) continue
    for (const other of field.oneof?.members ?? []) if (other !== field.name) delete out[other]
    out[field.name] = mergeValue(field, out[field.name], value, lists, copied)
  }
  copied(base, out)
  return out
}

type Field = MessageType<unknown>['table']['fields'][number]

function mergeValue(field: Field, base: unknown, value: unknown, lists: ListMerge, copied: Copied): unknown {
  if (base === undefined) return value
  if (field.map || field.wellKnown?.typeName === 'google.protobuf.Struct') return { ...(base as Message), ...(value as Message) }
  if (field.repeated) return lists === 'replace' ? value : [...(base as readonly unknown[]), ...(value as readonly unknown[])]
  return field.message === undefined ? value : mergeMessage(field.message, base as Message, value as Message, lists, copied)
}

/** A zero cannot be told from nothing where the field has no presence. */
function isUnset(field: Field, value: unknown): boolean {
  if (field.presence || field.repeated || field.map || field.message !== undefined || field.wellKnown !== undefined) return false
  return (
    value === 0 ||
    value === '' ||
    value === false ||
    value === '0' ||
    (field.enum !== undefined && value === field.enum.nameOf(0))
  )
}

/** The same for messages inside an Any; undefined when they are of different types. */
export function mergeAny(base: Message, patch: Message, copied: Copied): Message | undefined {
  const url = base['@type']
  const type = typeof url === 'string' && url === patch['@type'] ? knownTypes.find(url) : undefined
  return type === undefined ? undefined : mergeMessage(type, base, patch, 'append', copied)
}
