import { equal } from '@heddle/runtime'
import type { Pool } from './pool.js'

/** What a cell can depend on. */
export interface Dependency {
  readonly readers: Set<Cell>
  /** The run that read it last: a run notes it once. */
  stamp: number
  /** The run in which it said last that it has changed: a run that has read it before is not the last one. */
  raised?: number
  /** Brings itself up to date, and marks its readers if it changed. */
  settle(): void
  /** Nobody reads it any more. */
  orphaned(): void
}

/** What the cells of one translator have in common. */
export interface Engine {
  /** The cell that is being made. */
  active: Cell | undefined
  runs: number
  /** The last run in which something said that it has changed, or a key of a table had: then who is being made may have read what is marked only now. */
  raised: number
  readonly builds: Map<string, number>
  readonly pool: Pool
  /** While inputs are read: tables that may have changed, whose keys are compared before anything is asked for. */
  readonly tables: Set<Cell>
  refreshing: boolean
  readonly orphans: Set<Cell>
}

const CLEAN = 0
const CHECK = 1
export const DIRTY = 2

export interface CellOptions {
  readonly name: string
  readonly make: () => unknown
  /** Called when the cell is dropped. */
  readonly forget: () => void
  /** The value is a map: readers depend on keys of it, and a change marks only those whose key changed. */
  readonly keyed?: boolean
  /** Whether two values are one; default: structurally equal. */
  readonly same?: (a: unknown, b: unknown) => boolean
  /** Where an equal value is already. */
  readonly like?: Cell | undefined
}

/** A value and what it was made from. */
export class Cell implements Dependency {
  readonly readers: Set<Cell> = new Set()
  stamp = 0
  run = 0
  readonly #engine: Engine
  readonly #options: CellOptions
  readonly #slots: Map<string, Dependency> | undefined
  #value: unknown
  #state: number = DIRTY
  #deps: Dependency[] = []
  /** Of the running `make`: how many of the last one's readings it has repeated, in their order, and what it read after them. */
  #repeated = 0
  #others: Dependency[] | undefined
  #held = false
  #gone = false

  constructor(engine: Engine, options: CellOptions) {
    this.#engine = engine
    this.#options = options
    this.#slots = options.keyed === true ? new Map() : undefined
    const { like } = options
    if (this.#slots === undefined && like !== undefined) this.#value = like.#value
    engine.orphans.add(this)
  }

  get(): unknown {
    this.settle()
    note(this.#engine, this)
    return this.#value
  }

  /** Of a keyed cell. */
  lookUp(key: string): unknown {
    this.settle()
    if (this.#engine.active !== undefined) note(this.#engine, this.#slot(key))
    return (this.#value as ReadonlyMap<string, unknown>).get(key)
  }

  /** A held cell stays although nobody reads it. */
  hold(held: boolean): void {
    this.#held = held
    if (!held) this.orphaned()
  }

  settle(): void {
    if (this.#state === CLEAN) return
    if (this.#state === CHECK && !this.#hasDirtyDeps()) this.#state = CLEAN
    else this.#remake()
  }

  /** A dependency that has changed marks its readers when it is brought up to date. That may change another that was looked at before. */
  #hasDirtyDeps(): boolean {
    const engine = this.#engine
    for (let raised = -1; raised !== engine.raised; ) {
      raised = engine.raised
      for (const dep of this.#deps) {
        dep.settle()
        if (this.#state === DIRTY) return true
      }
    }
    return false
  }

  mark(level: number): void {
    if (this.#state >= level) return
    const was = this.#state
    this.#state = level
    if (was !== CLEAN) return
    if (this.#slots !== undefined) this.#markSlots(this.#slots)
    else for (const reader of this.readers) reader.mark(CHECK)
  }

  /** Most keys are what they were: while inputs are read nobody is marked before they have been compared. */
  #markSlots(slots: ReadonlyMap<string, Dependency>): void {
    if (this.#engine.refreshing) this.#engine.tables.add(this)
    else for (const { readers } of slots.values()) for (const reader of readers) reader.mark(CHECK)
  }

  orphaned(): void {
    if (!this.#isUsed()) this.#engine.orphans.add(this)
  }

  /** Lets go of everything, if still nobody needs it. */
  drop(): void {
    if (this.#gone || this.#isUsed()) return
    this.#gone = true
    this.#options.forget()
    for (const dep of this.#deps) unlink(dep, this)
    this.#deps = []
    this.#state = DIRTY
  }

  /** Notes that the running `make` has read `dep`. */
  read(dep: Dependency): void {
    if (this.#others === undefined && this.#deps[this.#repeated] === dep) this.#repeated++
    else (this.#others ??= []).push(dep)
  }

  #isUsed(): boolean {
    return this.#held || this.readers.size > 0 || (this.#slots?.size ?? 0) > 0
  }

  #remake(): void {
    const { builds } = this.#engine
    const { name, make } = this.#options
    const before = this.#value
    builds.set(name, (builds.get(name) ?? 0) + 1)
    let after = this.#recorded(make)
    while (this.#isOvertaken()) after = this.#recorded(make)
    this.#state = CLEAN
    this.#gone = false
    if (this.#slots !== undefined) this.#replaceMap(after as ReadonlyMap<string, unknown>)
    else if (before === undefined || !(this.#options.same ?? equal)(before, after)) {
      this.#value = after
      if (after !== before) for (const reader of this.readers) reader.mark(DIRTY)
    }
  }

  /** Something said while this was being made that it has changed, and this had read it before, or what hangs on it. */
  #isOvertaken(): boolean {
    if (this.#engine.raised <= this.run) return false
    if (this.#deps.some(({ raised = 0 }) => raised > this.run)) return true
    this.#state = CHECK
    return this.#hasDirtyDeps()
  }

  #recorded(make: () => unknown): unknown {
    const engine = this.#engine
    const caller = engine.active
    this.#repeated = 0
    this.run = ++engine.runs
    engine.active = this
    try {
      return make()
    } finally {
      engine.active = caller
      this.#link()
    }
  }

  /** Most runs read what the last one read: then there is nothing to do. */
  #link(): void {
    const before = this.#deps
    const fresh = this.#others ?? []
    this.#others = undefined
    if (fresh.length === 0 && this.#repeated === before.length) return
    const repeated = before.slice(0, this.#repeated)
    this.#deps = repeated.concat(fresh)
    const mark = ++this.#engine.runs
    for (const dep of this.#deps) dep.stamp = mark
    for (const dep of fresh) dep.readers.add(this)
    for (let i = repeated.length; i < before.length; i++) {
      const dep = before[i] as Dependency
      if (dep.stamp !== mark) unlink(dep, this)
    }
  }

  #replaceMap(now: ReadonlyMap<string, unknown>): void {
    const before = this.#value as ReadonlyMap<string, unknown> | undefined
    this.#value = now
    for (const [key, slot] of this.#slots ?? []) {
      if (equal(before?.get(key), now.get(key))) continue
      this.#engine.raised = ++this.#engine.runs
      for (const reader of slot.readers) reader.mark(DIRTY)
    }
  }

  #slot(key: string): Dependency {
    const slots = this.#slots as Map<string, Dependency>
    let slot = slots.get(key)
    if (slot !== undefined) return slot
    slot = {
      readers: new Set(),
      stamp: 0,
      settle: () => this.settle(),
      orphaned: () => {
        slots.delete(key)
        this.orphaned()
      },
    }
    slots.set(key, slot)
    return slot
  }
}

/** Enters that what is being made has read `dep`. */
export function note(engine: Engine, dep: Dependency): void {
  const { active } = engine
  if (active === undefined || dep.stamp === active.run) return
  dep.stamp = active.run
  active.read(dep)
}

function unlink(dep: Dependency, cell: Cell): void {
  dep.readers.delete(cell)
  if (dep.readers.size === 0) dep.orphaned()
}
