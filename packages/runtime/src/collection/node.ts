import { equal } from '../equal.js'
import { BuildError } from './build-error.js'
import type { Change } from './collection.js'
import type { GraphState } from './graph.js'

/** How one kind of collection (derive, join, index) makes its values. */
export interface Recipe<T> {
  /** The value of one key, from settled inputs; undefined for none. */
  evaluate(key: string): T | undefined
  /** Notes a change of an input and says which keys it touches. Default: the same key. */
  onInput?(input: Node<unknown>, change: Change<unknown>): Iterable<string>
  /** Lets go of what it holds in other nodes. */
  dispose?(): void
}

/** `tracked` false asks for a recipe that records no reads, to check the other against. */
export type MakeRecipe<T> = (node: Node<unknown>, tracked: boolean) => Recipe<T>

export interface Subscriber<T> {
  batch(changes: readonly Change<T>[]): void
}

/** The builds that read one key of a node (or, with no key, all of it). */
export interface Readers {
  readonly cells: Set<Cell>
  /** Forgets the set once nobody is in it. */
  prune(): void
}

/** One key of a derived node, as the nodes that it read know it. */
export interface Cell {
  readonly node: Node<unknown>
  readonly key: string
}

/** The state of one collection. Changes are pushed as dirty keys and pulled as settled values, inputs first, once a pass. */
export class Node<T> {
  readonly name: string
  readonly graph: GraphState
  readonly values: Map<string, T> = new Map()
  readonly subscribers: Set<Subscriber<T>> = new Set()
  /** What must settle before this node: its inputs, and everything that its builds have read so far. */
  readonly upstream: Set<Node<unknown>>
  readonly #inputs: readonly Node<unknown>[]
  readonly #outputs: Set<Node<unknown>> = new Set()
  readonly #makeRecipe: MakeRecipe<T> | undefined
  readonly #recipe: Recipe<T> | undefined
  readonly #dirty: Set<string> = new Set()
  readonly #readers: Map<string, Readers> = new Map()
  readonly #readersOfAll: Readers = { cells: new Set(), prune: () => {} }
  #changes: Change<T>[] = []
  #sorted: readonly T[] | undefined
  #settledIn = 0
  #settling = false

  /** `makeRecipe` is absent for a source. */
  constructor(graph: GraphState, name: string, inputs: readonly Node<unknown>[], makeRecipe?: MakeRecipe<T>) {
    for (const input of inputs) {
      if (input.graph !== graph)
        throw new Error(`${name} and its input ${input.name} belong to different graphs: create their sources with one graph`)
    }
    this.graph = graph
    this.name = name
    this.upstream = new Set(inputs)
    this.#inputs = [...this.upstream]
    this.#makeRecipe = makeRecipe
    this.#recipe = makeRecipe?.(this, true)
  }

  /** Links the node to its inputs and builds what is there. */
  start(): void {
    for (const input of this.#inputs) {
      input.#outputs.add(this)
      for (const [key, after] of input.values) this.#touch(input, { key, after })
    }
    this.settle()
  }

  /** A source's new values; undefined removes. */
  replace(writes: ReadonlyMap<string, T | undefined>): void {
    if (!this.graph.nodes.has(this)) return
    for (const [key, value] of writes) this.#try(key, () => this.#assign(key, value))
    this.#settledIn = this.graph.pass
    this.#publish()
  }

  mark(key: string): void {
    this.#dirty.add(key)
    this.graph.dirty.add(this)
  }

  /** Rebuilds the dirty keys, after everything that they may read has settled. */
  settle(): void {
    if (this.#settledIn === this.graph.pass) return
    if (this.#settling) throw new Error(`${this.name} is built from itself`)
    this.#settling = true
    try {
      for (const node of this.upstream) node.settle()
      this.graph.dirty.delete(this)
      for (const key of this.#dirty) {
        // No output rather than an old one: what is derived is a function of what there is now.
        if (!this.#try(key, () => this.#assign(key, this.#recipe?.evaluate(key)))) this.#assign(key, undefined)
      }
      this.#dirty.clear()
      this.#settledIn = this.graph.pass
    } finally {
      this.#settling = false
    }
    this.#publish()
  }

  /** Who reads `key`; to join the set is to be rebuilt when the key changes. */
  readersOf(key: string): Readers {
    let readers = this.#readers.get(key)
    if (readers === undefined) {
      const cells = new Set<Cell>()
      readers = { cells, prune: () => void (cells.size === 0 && this.#readers.delete(key)) }
      this.#readers.set(key, readers)
    }
    return readers
  }

  get readersOfAll(): Readers {
    return this.#readersOfAll
  }

  /** All values, sorted by key. */
  get sorted(): readonly T[] {
    return (this.#sorted ??= [...this.values.keys()].sort().map((key) => this.values.get(key)!))
  }

  takeChanges(): readonly Change<T>[] {
    const changes = this.#changes
    this.#changes = []
    return changes
  }

  /** Builds everything anew beside what is there and throws at the first difference. */
  verify(): void {
    if (this.#makeRecipe === undefined) return
    const recipe = this.#makeRecipe(this, false)
    const keys = new Set(this.values.keys())
    for (const input of this.#inputs) {
      for (const [key, after] of input.values)
        for (const touched of recipe.onInput?.(input, { key, after }) ?? [key]) keys.add(touched)
    }
    for (const key of keys) {
      let fresh: T | undefined
      try {
        fresh = recipe.evaluate(key)
      } catch {
        // A build that throws has no value, here as there.
      }
      if (equal(fresh, this.values.get(key))) continue
      throw new Error(
        `${this.name}[${key}] is not what a rebuild from scratch gives: the build is not pure, or looks at something without read`,
      )
    }
  }

  dispose(): void {
    this.graph.refuseInBuild()
    if (!this.graph.nodes.has(this)) return
    const users = [
      ...this.#outputs,
      ...[this.#readersOfAll, ...this.#readers.values()].flatMap(({ cells }) => [...cells].map(({ node }) => node)),
    ]
    if (users.length > 0)
      throw new Error(`${this.name} is still used by ${[...new Set(users.map(({ name }) => name))].join(', ')}`)
    for (const input of this.#inputs) input.#outputs.delete(this)
    this.#recipe?.dispose?.()
    this.graph.nodes.delete(this)
    for (const node of this.graph.nodes) node.upstream.delete(this)
    this.subscribers.clear()
    this.values.clear()
    this.#sorted = undefined
  }

  /** One key's failure is its own: it is reported, and the others go on. */
  #try(key: string, run: () => void): boolean {
    try {
      run()
      return true
    } catch (error) {
      this.graph.report(new BuildError(this.name, key, error))
      return false
    }
  }

  #assign(key: string, after: T | undefined): void {
    const before = this.values.get(key)
    if (before === after || (before !== undefined && after !== undefined && equal(before, after))) return
    if (after === undefined) this.values.delete(key)
    else this.values.set(key, after)
    this.#changes.push({ key, ...(before !== undefined && { before }), ...(after !== undefined && { after }) })
  }

  #publish(): void {
    if (this.#changes.length === 0) return
    this.#sorted = undefined
    this.graph.changed.add(this)
    for (const change of this.#changes) {
      for (const output of this.#outputs) output.#touch(this, change)
      const readers = this.#readers.get(change.key)
      if (readers !== undefined) for (const { node, key } of readers.cells) node.mark(key)
    }
    for (const { node, key } of this.#readersOfAll.cells) node.mark(key)
  }

  #touch(input: Node<unknown>, change: Change<unknown>): void {
    const touched = this.#recipe?.onInput?.(input, change)
    if (touched === undefined) this.mark(change.key)
    else for (const key of touched) this.mark(key)
  }
}
