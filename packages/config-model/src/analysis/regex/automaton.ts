import type { Node, Range } from './node.js'

/** A nondeterministic automaton. Its last state accepts. */
export interface Automaton {
  readonly start: number
  readonly end: number
  /** By state: where it goes without reading. */
  readonly free: readonly (readonly number[])[]
  /** By state: where it goes on a code point. */
  readonly reading: readonly (readonly (readonly [range: Range, to: number])[])[]
}

/** States that one pattern may have: `(a{50}){50}` is not worth the time. */
const MAX_STATES = 4000

interface Builder {
  readonly free: number[][]
  readonly reading: [Range, number][][]
}

/** Thompson's construction; undefined: it is too large. */
export function compile(node: Node): Automaton | undefined {
  if (sizeOf(node) > MAX_STATES) return undefined
  const builder: Builder = { free: [], reading: [] }
  const start = newState(builder)
  const end = add(builder, node, start)
  return { start, end, ...builder }
}

function sizeOf(node: Node): number {
  if (node.type === 'set') return 1
  if (node.type === 'repeat') return 2 + sizeOf(node.node) * (Number.isFinite(node.max) ? node.max : node.min + 1)
  return node.nodes.reduce((sum, one) => sum + sizeOf(one), 2)
}

function newState({ free, reading }: Builder): number {
  reading.push([])
  return free.push([]) - 1
}

// Adds what matches a node after a state, and returns the state behind it.
function add(builder: Builder, node: Node, from: number): number {
  switch (node.type) {
    case 'set': {
      const to = newState(builder)
      for (const range of node.ranges) builder.reading[from]!.push([range, to])
      return to
    }
    case 'concat':
      return node.nodes.reduce((at, one) => add(builder, one, at), from)
    case 'either': {
      const ends = node.nodes.map((one) => add(builder, one, branch(builder, from)))
      const to = newState(builder)
      for (const end of ends) builder.free[end]!.push(to)
      return to
    }
    case 'repeat':
      return addRepeat(builder, node, from)
  }
}

function addRepeat(builder: Builder, { node, min, max }: Node & { type: 'repeat' }, from: number): number {
  let at = from
  for (let i = 0; i < min; i++) at = add(builder, node, at)
  if (!Number.isFinite(max)) {
    const loop = branch(builder, at)
    builder.free[add(builder, node, loop)]!.push(loop)
    return branch(builder, loop)
  }
  const ways = [at]
  for (let i = min; i < max; i++) ways.push((at = add(builder, node, branch(builder, at))))
  const to = newState(builder)
  for (const way of ways) builder.free[way]!.push(to)
  return to
}

function branch(builder: Builder, from: number): number {
  const to = newState(builder)
  builder.free[from]!.push(to)
  return to
}
