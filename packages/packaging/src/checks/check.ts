import type { Consumer } from '../consumer.js'
import type { NodeVersion } from '../nodes.js'
import type { Packed } from '../pack.js'

/** One cell of the table. */
export interface Cell {
  readonly package: string
  readonly check: string
  /** The other Node it ran on: `22`. */
  readonly node?: string
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

/** The same cell, told of another Node. */
export function onNode(cell: Cell, { name }: NodeVersion): Cell {
  return name === '' ? cell : { ...cell, node: name }
}

export function cellOf(one: Packed, check: string, faults: readonly string[], shows?: string): Cell {
  return { package: one.package.name, check, ok: faults.length === 0, ...(shows === undefined ? {} : { shows }), faults }
}
