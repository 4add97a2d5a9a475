import { type Diagnostic, fail, ok, problem, type Result } from '@heddle/runtime'
import { parseDuration } from './duration.js'

type Loose = Readonly<Record<string, unknown>>
type Name<T> = keyof T & string
type Item<T> = NonNullable<T> extends readonly (infer E)[] ? E : never
type Entry<T> = NonNullable<T> extends Readonly<Record<string, infer E>> ? E : never

/** The Any of canonical JSON with its type's name without the prefix; a TypedStruct shows what it holds. */
export interface TypedConfig {
  readonly typeName: string
  readonly value: Loose
  readonly path: string
}

/**
 * A message of canonical proto JSON, read field by field. What is read is supported; {@link Fields.done} reports every other
 * field that is present, so that nothing which would change behaviour is passed over in silence. Wrong shapes become problems
 * with the full path, and the fallback is returned.
 */
export interface Fields<T = Loose> {
  readonly path: string
  /** Present and not null. */
  has(name: Name<T>): boolean
  string(name: Name<T>, fallback?: string): string
  strings(name: Name<T>): readonly string[]
  /** Numbers, and int64 as decimal strings. */
  number(name: Name<T>, fallback?: number): number
  numbers(name: Name<T>): readonly number[]
  boolean(name: Name<T>, fallback?: boolean): boolean
  /** A Duration in milliseconds, not below 0. */
  durationMs(name: Name<T>, fallback: number): number
  /** Any other name than those in `allowed` is a problem. */
  choice<C extends string>(name: Name<T>, allowed: readonly C[], fallback: C): C
  message<K extends Name<T>>(name: K): Fields<NonNullable<T[K]>> | undefined
  messages<K extends Name<T>>(name: K): readonly Fields<Item<T[K]>>[]
  map<K extends Name<T>>(name: K): readonly (readonly [key: string, fields: Fields<Entry<T[K]>>])[]
  any(name: Name<T>): TypedConfig | undefined
  /** As it stands: Struct, Value. */
  raw(name: Name<T>): unknown
  problem(message: string, name?: Name<T>): void
  /** Adds what another decoder found; its value when it is ok. */
  take<V>(result: Result<V>): V | undefined
  /** Every field that was not read and not named in `harmless` is refused. The values of `harmless` say why it may be passed over. */
  done(harmless?: Readonly<Record<string, string>>): void
}

/** Runs `build` over a message and gathers what it found wrong. */
export function compileMessage<T extends object, R>(json: T, path: string, build: (fields: Fields<T>) => R): Result<R> {
  const problems: Diagnostic[] = []
  const value = build(createFields<T>(json as Loose, path, problems))
  return problems.some(({ severity }) => severity === 'error') ? fail(...problems) : ok(value, problems)
}

/** The fields of what an Any holds; the name of its type is the caller's to check. */
export function fieldsOf<T>(config: TypedConfig, into: Fields<never> | Fields): Fields<T> {
  return createFields<T>(config.value, config.path, problemsOf.get(into) ?? [])
}

const problemsOf = new WeakMap<object, Diagnostic[]>()

function createFields<T>(json: Loose, path: string, problems: Diagnostic[]): Fields<T> {
  const seen = new Set<string>(['@type'])
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`)
  const report = (where: string, message: string, code = 'config.invalid'): void => {
    problems.push(problem(code, where, message))
  }
  const read = (name: string): unknown => {
    seen.add(name)
    const value = Object.hasOwn(json, name) ? json[name] : undefined
    return value === null ? undefined : value
  }
  const child = <C>(value: unknown, where: string): Fields<C> | undefined => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return createFields<C>(value as Loose, where, problems)
    report(where, `must be an object, not ${describe(value)}.`)
    return undefined
  }
  const list = (name: string): readonly unknown[] => {
    const value = read(name)
    if (value === undefined) return []
    if (Array.isArray(value)) return value
    report(at(name), `must be a list, not ${describe(value)}.`)
    return []
  }
  const typed = <V>(name: string, fallback: V, want: string, convert: (value: unknown) => V | undefined): V => {
    const value = read(name)
    if (value === undefined) return fallback
    const converted = convert(value)
    if (converted === undefined) report(at(name), `must be ${want}, not ${describe(value)}.`)
    return converted ?? fallback
  }
  const present = <V>(values: readonly (V | undefined)[]): V[] => values.filter((value) => value !== undefined)

  const fields: Fields<T> = {
    path,
    has: (name) => Object.hasOwn(json, name) && json[name] !== undefined && json[name] !== null,
    string: (name, fallback = '') =>
      typed(name, fallback, 'a string', (value) => (typeof value === 'string' ? value : undefined)),
    strings: (name) => list(name).map(String),
    number: (name, fallback = 0) => typed(name, fallback, 'a number', toNumber),
    numbers: (name) => present(list(name).map(toNumber)),
    boolean: (name, fallback = false) =>
      typed(name, fallback, 'true or false', (value) => (typeof value === 'boolean' ? value : undefined)),
    durationMs: (name, fallback) => typed(name, fallback, 'a duration like "1.5s"', toDuration),
    choice: (name, allowed, fallback) =>
      typed(name, fallback, `one of ${allowed.join(', ')}; nothing else is supported`, (value) =>
        allowed.find((each) => each === value),
      ),
    message: (name) => {
      const value = read(name)
      return value === undefined ? undefined : child(value, at(name))
    },
    messages: (name) => present(list(name).map((value, i) => child(value, `${at(name)}[${i}]`))),
    map: (name) => {
      const value = read(name)
      if (value === undefined) return []
      return Object.entries(value as Loose).flatMap(([key, entry]) => {
        const where = `${at(name)}[${JSON.stringify(key)}]`
        const fields = child<never>(entry, where)
        return fields === undefined ? [] : [[key, fields] as const]
      })
    },
    any: (name) => {
      const value = read(name)
      if (value === undefined) return undefined
      const config = typedConfig(value, at(name))
      if (config === undefined) report(at(name), 'must be an object with "@type".')
      return config
    },
    raw: read,
    problem: (message, name) => report(name === undefined ? path : at(name), message),
    take: (result) => {
      problems.push(...result.diagnostics)
      return result.ok ? result.value : undefined
    },
    done: (harmless) => {
      for (const name of Object.keys(json)) {
        if (
          seen.has(name) ||
          (harmless !== undefined && Object.hasOwn(harmless, name)) ||
          json[name] === undefined ||
          json[name] === null ||
          // To protobuf an empty list is none.
          (Array.isArray(json[name]) && json[name].length === 0)
        )
          continue
        report(at(name), `${name} is not supported: leave it out.`, 'config.unsupported_field')
      }
    },
  }
  problemsOf.set(fields, problems)
  return fields
}

/** Undefined: no Any. */
export function typedConfig(value: unknown, path: string): TypedConfig | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const any = value as Loose
  if (typeof any['@type'] !== 'string') return undefined
  const typeName = any['@type'].slice(any['@type'].lastIndexOf('/') + 1)
  if (typeName !== 'udpa.type.v1.TypedStruct' && typeName !== 'xds.type.v3.TypedStruct') return { typeName, value: any, path }
  const inner = String(any['type_url'] ?? '')
  return { typeName: inner.slice(inner.lastIndexOf('/') + 1), value: (any['value'] ?? {}) as Loose, path: `${path}.value` }
}

function toDuration(value: unknown): number | undefined {
  const ms = parseDuration(value)
  return ms === undefined || ms < 0 ? undefined : ms
}

function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : undefined
}

function describe(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
