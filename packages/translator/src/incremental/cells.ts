import { type Memo, type MemoArgument, memoKey } from '../memo.js'
import { Cell, type Dependency, DIRTY, type Engine, note } from './cell.js'
import { createPool } from './pool.js'

/**
 * Values that remember what they were made from. A change marks what may depend on it; a value that is asked for looks whether something that
 * it read has really changed, and only then is made anew. One that comes out equal stays the very same, and nothing behind it is made.
 *
 * `@heddle/runtime`'s collections derive a value for each key that there is. Here keys come up only while values are made (a service as one view sees it),
 * so values are pulled.
 */
export interface Cells {
  /** Reads something outside; its readers are made anew when a later reading gives another object. */
  input<T>(key: string, read: () => T): T
  /** `like`: the scope of something much alike. What is equal there is the very same here. */
  scope(like?: Memo): Memo
  /** A value that nobody needs to look up. It goes at the next sweep at which nobody reads it, but while it is held. */
  root<T>(options: RootOptions<T>): Root<T>
  /** Something that changes by saying so. `read`: as if somebody had read it always. */
  signal(read?: boolean): Signal
  /** Reads all inputs again and marks what hangs on those that changed. */
  refresh(): void
  /** Forgets what nobody reads any more. */
  sweep(): void
  /** How often `make` was called, by name. */
  readonly builds: ReadonlyMap<string, number>
}

export interface RootOptions<T> {
  readonly name: string
  make(): T
  /** Whether two values are one; default: structurally equal. */
  readonly same?: (a: T, b: T) => boolean
  /** Called when it is gone. */
  forget?(): void
}

export interface Root<T> {
  get(): T
  hold(held: boolean): void
}

export interface Signal {
  readonly isRead: boolean
  read(): void
  raise(): void
}

export function createCells(): Cells {
  const engine: Engine = {
    active: undefined,
    runs: 0,
    raised: 0,
    builds: new Map(),
    pool: createPool(),
    tables: new Set(),
    refreshing: false,
    orphans: new Set(),
  }
  const inputs = new Map<string, Input>()
  return {
    builds: engine.builds,
    input<T>(key: string, read: () => T): T {
      let input = inputs.get(key)
      if (input === undefined) {
        if (engine.active === undefined) return read()
        inputs.set(key, (input = createInput(read, () => inputs.delete(key))))
      }
      note(engine, input)
      return input.value as T
    },
    scope: (like) => createScope(engine, like),
    root<T>({ name, make, same, forget = () => {} }: RootOptions<T>): Root<T> {
      const compared = same === undefined ? {} : { same: same as (a: unknown, b: unknown) => boolean }
      const cell = new Cell(engine, { name, make, forget, ...compared })
      return { get: () => cell.get() as T, hold: (held) => cell.hold(held) }
    },
    signal: (read = false) => createSignal(engine, read),
    refresh() {
      engine.refreshing = true
      try {
        readAgain(inputs.values())
        for (const table of engine.tables) {
          engine.tables.delete(table)
          table.settle()
        }
      } finally {
        engine.refreshing = false
      }
    },
    sweep() {
      for (const cell of engine.orphans) {
        engine.orphans.delete(cell)
        cell.drop()
      }
      engine.pool.sweep()
    },
  }
}

function readAgain(inputs: Iterable<Input>): void {
  for (const input of inputs) {
    const now = input.read()
    if (now === input.value) continue
    input.value = now
    for (const reader of input.readers) reader.mark(DIRTY)
  }
}

interface Input extends Dependency {
  value: unknown
  read(): unknown
}

function createInput(read: () => unknown, orphaned: () => void): Input {
  return { readers: new Set(), stamp: 0, value: read(), read, settle() {}, orphaned }
}

function createSignal(engine: Engine, isRead: boolean): Signal {
  const dependency: Dependency = { readers: new Set(), stamp: 0, settle() {}, orphaned() {} }
  return {
    get isRead() {
      return isRead || dependency.readers.size > 0
    },
    read: () => note(engine, dependency),
    raise() {
      dependency.raised = engine.raised = ++engine.runs
      for (const reader of dependency.readers) reader.mark(DIRTY)
    },
  }
}

/** Of a long list: a change of one looks at the few that stand beside it, not at all. */
const TOGETHER = 32

/** Of a text, and a place in a list, the key of the few that stand there: most lists are what they were, but for one of them. */
function keptTexts(): (text: string) => (at: number, few: readonly object[]) => string {
  const places = new Map<string, { readonly few: readonly object[]; readonly key: string }[]>()
  return (text) => {
    const known = places.get(text) ?? []
    places.set(text, known)
    return (at, few) => {
      const last = known[at / TOGETHER]
      if (last?.few.length === few.length && few.every((one, i) => one === last.few[i])) return last.key
      const key = memoKey(text, few)
      known[at / TOGETHER] = { few, key }
      if (few.length < TOGETHER) known.length = at / TOGETHER + 1
      return key
    }
  }
}

const cellsOf = new WeakMap<Memo, Map<string, Cell>>()

function createScope(engine: Engine, like?: Memo): Memo {
  const cells = new Map<string, Cell>()
  const textsOf = keptTexts()
  const others = like && cellsOf.get(like)
  // It may go before this one does.
  const alike = others && new WeakRef(others)
  const cellOf = (name: string, args: readonly MemoArgument[], make: () => unknown, keyed: boolean): Cell =>
    cellAt(memoKey(name, args), name, make, keyed)
  const cellAt = (key: string, name: string, make: () => unknown, keyed: boolean): Cell => {
    let cell = cells.get(key)
    if (cell === undefined) {
      cell = new Cell(engine, { name, make, keyed, forget: () => cells.delete(key), like: alike?.deref()?.get(key) })
      cells.set(key, cell)
    }
    return cell
  }
  const scope: Memo = {
    lasting: true,
    of: <T>(name: string, args: readonly MemoArgument[], make: () => T) => cellOf(name, args, make, false).get() as T,
    each<I extends object, O>(name: string, args: readonly MemoArgument[], list: readonly I[], make: (one: I) => readonly O[]) {
      const out: O[] = []
      const texts = textsOf(memoKey(name, args))
      for (let at = 0; at < list.length; at += TOGETHER) {
        const few = list.slice(at, at + TOGETHER)
        const made = cellAt(texts(at, few), name, () => few.flatMap(make), false).get() as readonly O[]
        for (const one of made) out.push(one)
      }
      return out
    },
    shared<T extends object>(name: string, args: readonly MemoArgument[], make: () => T) {
      const key = memoKey(
        name,
        args.filter((arg) => typeof arg !== 'object'),
      )
      return cellOf(name, args, () => engine.pool.intern(key, make()), false).get() as T
    },
    intern: (name, key, value) => engine.pool.intern(memoKey(name, [key]), value),
    table<V>(name: string, args: readonly MemoArgument[], make: () => ReadonlyMap<string, V>) {
      const table = cellOf(name, args, make, true)
      return (wanted) => table.lookUp(wanted) as V | undefined
    },
  }
  cellsOf.set(scope, cells)
  return scope
}
