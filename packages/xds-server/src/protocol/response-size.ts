import type { VersionedResource } from '@heddle/xds-types'
import type { Composed } from './push.js'
import type { Effect } from './stream-protocol.js'
import type { TypeState } from './type-state.js'

/** What of a response goes, and what is left for the next one. */
export interface Fitted {
  /** Undefined: nothing can go. */
  readonly resources: readonly VersionedResource[] | undefined
  readonly left: ReadonlySet<string>
  /** What will never go as it is: told once for each version. */
  readonly oversized: readonly Effect[]
}

export const NOTHING: ReadonlySet<string> = new Set()
const NO_EFFECTS: readonly Effect[] = []

/** Name, type URL, version, tags and lengths of one resource, at the most. */
const FRAME = 256

/**
 * Cuts a response to `maxBytes`: what does not fit follows when the client has answered. A response that lists everything cannot be cut, and
 * neither can a resource: they are not sent at all, since a client that cannot take them would only end the stream, again and again (xds-protocol 62).
 */
export function fitted(state: TypeState, { resources, left, version }: Composed, maxBytes: number, maySplit: boolean): Fitted {
  if (maxBytes === Number.POSITIVE_INFINITY) {
    return { resources, left: left.length === 0 ? NOTHING : new Set(left), oversized: NO_EFFECTS }
  }
  const all = new Set(left)
  const sizeOf = ({ name, bytes }: VersionedResource): number => bytes.length + 2 * name.length + FRAME
  const total = resources.reduce((sum, resource) => sum + sizeOf(resource), 0)
  if (total <= maxBytes) {
    state.oversized = undefined
    return { resources, left: all, oversized: [] }
  }
  const oversized: Effect[] = []
  const tell = (name: string | undefined, what: string, bytes: number): void => {
    if (state.oversized?.has(what)) return
    state.oversized ??= new Set()
    state.oversized.add(what)
    oversized.push({ kind: 'oversized', typeUrl: state.rule.typeUrl, name, bytes })
  }
  if (!maySplit) {
    tell(undefined, version, total)
    return { resources: undefined, left: all, oversized }
  }
  const going: VersionedResource[] = []
  let size = 0
  for (const resource of resources) {
    const own = sizeOf(resource)
    if (own > maxBytes) tell(resource.name, `${resource.name} ${resource.version}`, own)
    if (own > maxBytes || size + own > maxBytes) all.add(resource.name)
    else {
      size += own
      going.push(resource)
    }
  }
  return { resources: going.length === 0 ? undefined : going, left: all, oversized }
}
