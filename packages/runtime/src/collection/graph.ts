import type { MetricsRegistry } from '../metrics/registry.js'
import type { BuildError } from './build-error.js'
import type { Node } from './node.js'
import { createPasses, type PassState, type Writes } from './passes.js'

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

/** The inside of a {@link Graph}, for the files of this folder. */
export interface GraphState extends Graph, PassState {
  write(node: Node<unknown>, writes: Iterable<readonly [string, unknown]>): void
  /** Takes up a new node and builds its keys. */
  add(node: Node<unknown>): void
  refuseInBuild(): void
  countBuild(name: string): void
  report(error: BuildError): void
}

export function createGraph(options: GraphOptions = {}): Graph {
  const passes = createPasses(options.verify ?? false)
  const { state } = passes
  let open: Writes | undefined
  const refuseInBuild = (): void => {
    if (state.phase === 'building')
      throw new Error('a build is a pure function: it may not write, create, watch or dispose of collections')
  }
  const graph: Omit<GraphState, keyof PassState> = {
    ...createCounts(options),
    refuseInBuild,
    batch(run) {
      refuseInBuild()
      if (open !== undefined) return run()
      const writes: Writes = new Map()
      open = writes
      let result: ReturnType<typeof run>
      try {
        result = run()
      } finally {
        open = undefined
      }
      passes.apply(writes)
      return result
    },
    write(node, entries) {
      refuseInBuild()
      const writes: Writes = open ?? new Map()
      let written = writes.get(node)
      if (written === undefined) writes.set(node, (written = new Map()))
      for (const [key, value] of entries) written.set(key, value)
      if (open === undefined) passes.apply(writes)
    },
    add(node) {
      refuseInBuild()
      passes.start(node)
    },
    report(error) {
      if (options.onError === undefined) passes.fail(error)
      else options.onError(error)
    },
  }
  // One object, because nodes read the phase and the pass that change in `state`.
  return Object.assign(state, graph)
}

function createCounts({ metrics }: GraphOptions): Pick<GraphState, 'builds' | 'countBuild'> {
  const builds = new Map<string, number>()
  const family = metrics?.counter('heddle_collection_builds_total', 'Builds of keys of derived collections.', ['collection'])
  return {
    builds,
    countBuild(name) {
      builds.set(name, (builds.get(name) ?? 0) + 1)
      family?.labels(name).inc()
    },
  }
}
