import type { Counter, MetricFamily, MetricsRegistry } from '../metrics/registry.js'
import type { Change } from './collection.js'
import type { Node, Subscriber } from './node.js'

export interface GraphOptions {
  /** Debug: after every pass rebuild everything and compare. A difference (a build that is not pure, or looked past `read`) throws. Default false. */
  verify?: boolean
  /** Hears of each build that threw. Default: the first such error is thrown by the call that caused the pass, once the pass is over. */
  onError?(error: BuildError): void
  /** Counts builds in `heddle_collection_builds_total{collection}`. */
  metrics?: MetricsRegistry
}

/** Collections that change together: one batch, however many sources it touches, is one pass. */
export interface Graph {
  /** Everything applied to sources inside `run` is one pass, at its end. If `run` throws, nothing of it is applied. */
  batch<R>(run: () => R): R
  /** Builds since the start by the name of the collection. */
  readonly builds: ReadonlyMap<string, number>
}

/** A build function threw. Its key has no output until something that it read changes; all other keys are as they should be. */
export class BuildError extends Error {
  readonly collection: string
  readonly key: string
  constructor(collection: string, key: string, cause: unknown) {
    super(`building ${collection}[${key}]: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    this.name = 'BuildError'
    this.collection = collection
    this.key = key
  }
}

/** What sources wrote and no pass has taken up yet. */
type Writes = Map<Node<unknown>, Map<string, unknown>>

/** The inside of a {@link Graph}, for the files of this folder. */
export interface GraphState extends Graph {
  phase: 'idle' | 'building' | 'notifying'
  /** The running pass; a node is settled once a pass. */
  pass: number
  /** Nodes with keys to rebuild. */
  readonly dirty: Set<Node<unknown>>
  /** Nodes that changed in this pass, inputs before outputs. */
  readonly changed: Set<Node<unknown>>
  /** All nodes, for {@link GraphOptions.verify} and for taking one out. */
  readonly nodes: Set<Node<unknown>>
  write(node: Node<unknown>, writes: Iterable<readonly [string, unknown]>): void
  /** Takes up a new node and builds its keys. */
  add(node: Node<unknown>): void
  refuseInBuild(): void
  countBuild(name: string): void
  report(error: BuildError): void
}

// A subscriber that answers every pass with a new batch would never end.
const MOST_PASSES_IN_A_ROW = 1_000

export function createGraph(options: GraphOptions = {}): Graph {
  const queue: Writes[] = []
  let open: Writes | undefined
  let errors: unknown[] = []
  const throwFirst = (): void => {
    const [first] = errors
    errors = []
    if (first !== undefined) throw first
  }
  const enqueue = (writes: Writes): void => {
    if (writes.size === 0) return
    queue.push(writes)
    if (state.phase !== 'idle') return
    for (let passes = 0; queue.length > 0; passes++) {
      if (passes === MOST_PASSES_IN_A_ROW) {
        queue.length = 0
        errors.push(new Error(`${MOST_PASSES_IN_A_ROW} passes in a row: a subscriber answers every change with another`))
        break
      }
      settleAll(state, queue.shift()!, options.verify ?? false, errors)
      notifyAll(state, errors)
    }
    throwFirst()
  }
  const state: GraphState = {
    ...createCounts(options),
    phase: 'idle',
    pass: 0,
    dirty: new Set(),
    changed: new Set(),
    nodes: new Set(),
    batch(run) {
      state.refuseInBuild()
      if (open !== undefined) return run()
      const writes: Writes = new Map()
      open = writes
      let result: ReturnType<typeof run>
      try {
        result = run()
      } finally {
        open = undefined
      }
      enqueue(writes)
      return result
    },
    write(node, entries) {
      state.refuseInBuild()
      const writes: Writes = open ?? new Map()
      let written = writes.get(node)
      if (written === undefined) writes.set(node, (written = new Map()))
      for (const [key, value] of entries) written.set(key, value)
      if (open === undefined) enqueue(writes)
    },
    add(node) {
      state.refuseInBuild()
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
    refuseInBuild() {
      if (state.phase === 'building')
        throw new Error('a build is a pure function: it may not write, create, watch or dispose of collections')
    },
    report(error) {
      if (options.onError === undefined) errors.push(error)
      else options.onError(error)
    },
  }
  return state
}

function createCounts(options: GraphOptions): Pick<GraphState, 'builds' | 'countBuild'> {
  const builds = new Map<string, number>()
  const family: MetricFamily<Counter> | undefined = options.metrics?.counter(
    'heddle_collection_builds_total',
    'Builds of keys of derived collections.',
    ['collection'],
  )
  return {
    builds,
    countBuild(name) {
      builds.set(name, (builds.get(name) ?? 0) + 1)
      family?.labels(name).inc()
    },
  }
}

/** Applies writes and settles every node that they reach. */
function settleAll(graph: GraphState, writes: Writes, verify: boolean, errors: unknown[]): void {
  graph.pass++
  graph.phase = 'building'
  try {
    for (const [node, written] of writes) node.replace(written)
    // Settling one node settles what it reads first and may add to the set.
    for (const node of graph.dirty) node.settle()
    if (verify) for (const node of graph.nodes) node.verify()
  } catch (error) {
    errors.push(error)
  }
}

/** Tells subscribers; what they write meanwhile waits for the next pass. */
function notifyAll(graph: GraphState, errors: unknown[]): void {
  graph.phase = 'notifying'
  const calls: [Node<unknown>, Subscriber<unknown>, readonly Change<unknown>[]][] = []
  for (const node of graph.changed) {
    const changes = node.takeChanges()
    for (const subscriber of node.subscribers) calls.push([node, subscriber, changes])
  }
  graph.changed.clear()
  for (const [node, subscriber, changes] of calls) {
    // An earlier subscriber may have ended this subscription.
    if (!node.subscribers.has(subscriber)) continue
    try {
      subscriber.batch(changes)
    } catch (error) {
      errors.push(error)
    }
  }
  graph.phase = 'idle'
}
