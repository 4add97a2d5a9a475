import type { Consumer } from '../consumer.js'
import type { NodeVersion } from '../nodes.js'
import type { Packed } from '../pack.js'

/** One cell of a table. */
export interface Cell {
  readonly package: string
  readonly check: string
  /** The major version of the Node it ran on; absent: nothing was run, the tarball was read. */
  readonly node?: number
  readonly ok: boolean
  /** What was measured or counted, short: `12 names`. */
  readonly shows?: string
  /** Why it failed, a line each. */
  readonly faults?: readonly string[]
}

export interface CheckContext {
  readonly root: string
  readonly consumer: Consumer
  readonly node: NodeVersion
}

export function cellOf(one: Packed, check: string, faults: readonly string[], shows?: string): Cell {
  return { package: one.package.name, check, ok: faults.length === 0, ...(shows === undefined ? {} : { shows }), faults }
}
