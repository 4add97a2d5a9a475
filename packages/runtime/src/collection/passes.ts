import type { Change } from './collection.js'
import type { Node, Subscriber } from './node.js'

/** What sources wrote and no pass has taken up yet. */
export type Writes = Map<Node<unknown>, Map<string, unknown>>

/** Where a graph stands. */
export interface PassState {
  phase: 'idle' | 'building' | 'notifying'
  /** The running pass; a node is settled once a pass. */
  pass: number
  /** Nodes with keys to rebuild. */
  readonly dirty: Set<Node<unknown>>
  /** Nodes that changed in this pass, inputs before outputs. */
  readonly changed: Set<Node<unknown>>
  /** All nodes, to check them and to take one out. */
  readonly nodes: Set<Node<unknown>>
}

export interface Passes {
  readonly state: PassState
  /** Runs a pass; one that is asked for in a pass waits for its end. Throws the first error of its passes when all are done. */
  apply(writes: Writes): void
  /** Builds the keys of a new node, beside the passes. */
  start(node: Node<unknown>): void
  /** Keeps an error for the end. */
  fail(error: unknown): void
}

// A subscriber that answers every pass with a new batch would never end.
const MOST_PASSES_IN_A_ROW = 1_000

export function createPasses(verify: boolean): Passes {
  const state: PassState = { phase: 'idle', pass: 0, dirty: new Set(), changed: new Set(), nodes: new Set() }
  const queue: Writes[] = []
  let errors: unknown[] = []
  const throwFirst = (): void => {
    const [first] = errors
    errors = []
    if (first !== undefined) throw first
  }
  return {
    state,
    fail: (error) => errors.push(error),
    apply(writes) {
      if (writes.size === 0) return
      queue.push(writes)
      if (state.phase !== 'idle') return
      for (let passes = 0; queue.length > 0; passes++) {
        if (passes === MOST_PASSES_IN_A_ROW) {
          queue.length = 0
          errors.push(new Error(`${MOST_PASSES_IN_A_ROW} passes in a row: a subscriber answers every change with another`))
          break
        }
        settleAll(state, queue.shift()!, verify, errors)
        notifyAll(state, errors)
      }
      throwFirst()
    },
    start(node) {
      const before = state.phase
      state.nodes.add(node)
      state.pass++
      state.phase = 'building'
      try {
        node.start()
      } finally {
        // Nobody can have subscribed yet.
        state.changed.delete(node)
        node.takeChanges()
        state.phase = before
      }
      if (before === 'idle') throwFirst()
    },
  }
}

/** Applies writes and settles every node that they reach. */
function settleAll(state: PassState, writes: Writes, verify: boolean, errors: unknown[]): void {
  state.pass++
  state.phase = 'building'
  try {
    for (const [node, written] of writes) node.replace(written)
    // Settling one node settles what it reads first and may add to the set.
    for (const node of state.dirty) node.settle()
    if (verify) for (const node of state.nodes) node.verify()
  } catch (error) {
    errors.push(error)
  }
}

/** Tells subscribers; what they write meanwhile waits for the next pass. */
function notifyAll(state: PassState, errors: unknown[]): void {
  state.phase = 'notifying'
  const calls: [Node<unknown>, Subscriber<unknown>, readonly Change<unknown>[]][] = []
  for (const node of state.changed) {
    const changes = node.takeChanges()
    for (const subscriber of node.subscribers) calls.push([node, subscriber, changes])
  }
  state.changed.clear()
  for (const [node, subscriber, changes] of calls) {
    // An earlier subscriber may have ended this subscription.
    if (!node.subscribers.has(subscriber)) continue
    try {
      subscriber.batch(changes)
    } catch (error) {
      errors.push(error)
    }
  }
  state.phase = 'idle'
}
