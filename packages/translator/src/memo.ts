import { createSideTable } from '@heddle/runtime'

/**
 * What builders keep, so that nothing is built twice. In one shot it lives as long as the translation; in an incremental translator across
 * snapshots, and then a value is made anew only when something changed that was read while it was made.
 *
 * The rule for both: `make` may close over nothing but `args` and the {@link Build} that the memo belongs to. An argument is told from another by
 * identity (objects) or value.
 */
export interface Memo {
  /** Whether it outlives a translation. Who looks up only what an earlier translation made need not, where there was none. */
  readonly lasting: boolean
  of<T>(name: string, args: readonly MemoArgument[], make: () => T): T
  /** As `of`, for resources and parts of them: equal ones that different proxies get are the same object. */
  shared<T extends object>(name: string, args: readonly MemoArgument[], make: () => T): T
  /** The same for a value that costs less to make than to look up. */
  intern<T extends object>(name: string, key: string, value: T): T
  /** What `make` gives for each of a list, one after the other; it may close over `args` and its argument. */
  each<I extends object, O>(
    name: string,
    args: readonly MemoArgument[],
    list: readonly I[],
    make: (one: I) => readonly O[],
  ): readonly O[]
  /** A map whose readers depend on the keys that they look up, not on the whole. */
  table<V>(name: string, args: readonly MemoArgument[], make: () => ReadonlyMap<string, V>): (key: string) => V | undefined
}

export type MemoArgument = string | number | boolean | object | undefined

/** A value with the arguments that it was made of. */
interface Row {
  readonly args: readonly MemoArgument[]
  readonly value: unknown
}

/** A value, and those of the same arguments and more: without a map as long as they go on with one argument alone. */
interface Kept {
  made: Row | undefined
  arg: MemoArgument
  only: Kept | undefined
  next: Map<MemoArgument, Kept> | undefined
}

/** The values of a name: a list while they are few, as they are of most names. */
interface Shelf {
  few: Row[]
  many: Kept | undefined
}

/** So many are looked through faster than maps are made for them. */
const FEW = 8

/** Of a single translation. */
export function createMemo(): Memo {
  const names = new Map<string, Shelf>()
  const of = <T>(name: string, args: readonly MemoArgument[], make: () => T): T => {
    let shelf = names.get(name)
    if (shelf === undefined) names.set(name, (shelf = { few: [], many: undefined }))
    const known = find(shelf, args)
    if (known !== undefined) return known.value as T
    const row = { args, value: make() }
    put(shelf, row)
    return row.value
  }
  return {
    lasting: false,
    of,
    shared: (_name, _args, make) => make(),
    intern: (_name, _key, value) => value,
    each: (_name, _args, list, make) => list.flatMap(make),
    table<V>(name: string, args: readonly MemoArgument[], make: () => ReadonlyMap<string, V>) {
      const table = of(name, args, make)
      return (key) => table.get(key)
    },
  }
}

function find({ few, many }: Shelf, args: readonly MemoArgument[]): Row | undefined {
  if (many === undefined) {
    for (const row of few) if (isSame(row.args, args)) return row
    return undefined
  }
  let kept: Kept | undefined = many
  for (const arg of args) {
    kept = kept.next === undefined ? (kept.arg === arg ? kept.only : undefined) : kept.next.get(arg)
    if (kept === undefined) return undefined
  }
  return kept.made
}

function isSame(a: readonly MemoArgument[], b: readonly MemoArgument[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

function put(shelf: Shelf, row: Row): void {
  if (shelf.many === undefined) {
    shelf.few.push(row)
    if (shelf.few.length <= FEW) return
    shelf.many = createKept()
    for (const each of shelf.few) putUnder(shelf.many, each)
    shelf.few = []
  } else putUnder(shelf.many, row)
}

function putUnder(root: Kept, row: Row): void {
  let kept = root
  for (const arg of row.args) kept = under(kept, arg)
  kept.made = row
}

function under(kept: Kept, arg: MemoArgument): Kept {
  if (kept.only === undefined) {
    kept.arg = arg
    return (kept.only = createKept())
  }
  if (kept.next === undefined && kept.arg === arg) return kept.only
  kept.next ??= new Map([[kept.arg, kept.only]])
  let next = kept.next.get(arg)
  if (next === undefined) kept.next.set(arg, (next = createKept()))
  return next
}

function createKept(): Kept {
  return { made: undefined, arg: undefined, only: undefined, next: undefined }
}

const ids = createSideTable<number>()
let last = 0

/** A number for an object, another for any other. */
export function identityOf(object: object): number {
  let id = ids.of(object)
  if (id === undefined) ids.set(object, (id = ++last))
  return id
}

export function memoKey(name: string, args: readonly MemoArgument[]): string {
  let key = name
  for (const arg of args) key += typeof arg === 'object' ? `\u0000#${identityOf(arg)}` : `\u0000${arg}`
  return key
}
