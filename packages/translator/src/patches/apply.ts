import type { MessageType } from '@heddle/xds-types'
import type { Build } from '../build.js'
import { listsOf, merges } from './edit-list.js'
import type { Patch } from './envoy-filters.js'
import { mergeMessage } from './merge-message.js'

/** The message with a patch laid over it; what is changed keeps its provenance and gains the EnvoyFilter's. */
export function merged<T extends object>(build: Build, type: MessageType<T>, base: T, patch: Patch): T {
  if (!merges(patch)) return base
  const copied = (from: object, to: object): void => void build.origins.copy(from, to)
  const out = mergeMessage(type as MessageType<unknown>, base as never, patch.value, listsOf(patch), copied) as T
  touched(build, base, out, patch)
  for (const field of Object.keys(patch.value)) build.origins.mark(out, patch.source, field)
  return out
}

/** A changed copy of a message. */
export function touched<T extends object>({ origins }: Build, from: T, to: T, patch: Patch): T {
  return origins.mark(origins.copy(from, to), patch.source)
}

/** A message that a patch brings. */
export function added<T extends object>({ origins }: Build, patch: Patch): T {
  return origins.mark({ ...patch.value } as T, patch.source)
}
