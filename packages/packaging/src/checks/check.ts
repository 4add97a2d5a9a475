import type { Consumer } from '../consumer.js'
import type { Packed } from '../pack.js'

/** One cell of the table. */
export interface Cell {
  readonly package: string
  readonly check: string
  readonly ok: boolean
  /** What was measured or counted, short: `12 names`. */
  readonly shows?: string
  /** Why it failed, a line each. */
  readonly faults?: readonly string[]
}

export interface CheckContext {
  readonly root: string
  readonly consumer: Consumer
  /** The node that runs the programs: `node`, or the path of another version. */
  readonly node: string
}

export function cellOf(one: Packed, check: string, faults: readonly string[], shows?: string): Cell {
  return { package: one.package.name, check, ok: faults.length === 0, ...(shows === undefined ? {} : { shows }), faults }
}
