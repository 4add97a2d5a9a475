import type { Unsubscribe } from '../clock.js'
import type { Graph } from './graph.js'

/** What happened to one key: `before` absent means added, `after` absent means removed. */
export interface Change<T> {
  readonly key: string
  readonly before?: T
  readonly after?: T
}

/** Values by key that change in batches. Values are immutable: a changed value is another object. */
export interface Collection<T> {
  readonly name: string
  readonly graph: Graph
  readonly size: number
  get(key: string): T | undefined
  /** In no particular order. */
  entries(): Iterable<[string, T]>
  /**
   * One call a pass, with everything that changed in it, after the whole graph has settled: whatever a subscriber reads belongs to the
   * same moment. Not called for the values that are there already.
   */
  subscribe(batch: (changes: readonly Change<T>[]) => void): Unsubscribe
  /** Empties the collection and takes it out of its graph. Throws while another collection is built from it. */
  dispose(): void
}

/** Groups of a collection: the values of an index key, sorted by their own keys. */
export interface Index<T> extends Collection<readonly T[]> {
  /** The group, or no values. The same array as long as the group is the same. */
  list(key: string): readonly T[]
}

/** How a build looks at other collections; what it looked at, its output depends on. Good only during the build it was given to. */
export interface Read {
  get<T>(collection: Collection<T>, key: string): T | undefined
  list<T>(index: Index<T>, key: string): readonly T[]
  /** Every value, sorted by key: the output depends on each of them. The same array as long as nothing changed. */
  all<T>(collection: Collection<T>): readonly T[]
}
