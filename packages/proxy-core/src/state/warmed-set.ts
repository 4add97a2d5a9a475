import { type Clock, type Diagnostic, equal, type Logger, type Result, type Unsubscribe } from '@heddle/runtime'
import { rejectionOf } from '../xds/nack.js'
import type { Rejection } from '../xds/protocol.js'
import { type Need, warm } from '../xds/warming.js'

/** A resource in force, in the making, or refused: what `/config_dump` shows. */
export interface ResourceRecord {
  readonly typeUrl: string
  readonly name: string
  readonly state: 'static' | 'active' | 'warming'
  readonly version: string
  readonly message: object
  /** Wall clock. */
  readonly updatedAt: number
  /** Why the last update of this name is not in force. */
  readonly error?: { readonly message: string; readonly version: string; readonly at: number }
}

export interface WarmedSetOptions<M extends object, T> {
  typeUrl: string
  /** `Listener`, `Cluster`: for people. */
  kind: string
  compile(message: M): Result<T>
  /** What `value` must wait for. Called after {@link hold}. */
  needs(name: string, message: M, value: T): readonly Need[]
  /** `message` is wanted by `owner` from now on: what it refers to is subscribed. Undefined: no more. */
  hold(owner: string, message: M | undefined): void
  /** Puts the value into force, in place of the one of the same name. Fails with the reason, which leaves that one in force. */
  activate(name: string, value: T): undefined | Promise<Rejection | undefined>
  deactivate(name: string): void
  clock: Clock
  logger: Logger
  /** initial_fetch_timeout in milliseconds; 0: none. */
  timeoutMs: number
  /** Told when nothing warms any more, and when something begins to. */
  onWarming?(warming: number): void
}

/** Clusters or listeners by name: each update is compiled, warmed, and then swapped in; until then the old one serves. */
export interface WarmedSet<M extends object> {
  /** A rejection, at once or when a socket has refused to bind; nothing when it is in force or on its way. */
  apply(name: string, version: string, message: M, state?: 'static'): undefined | Rejection | Promise<Rejection | undefined>
  /** An update that could not even be decoded: kept for the dump. */
  refuse(rejection: Rejection, version: string): void
  /** Static resources stay. */
  remove(name: string): void
  readonly warming: number
  /** In force or on its way. */
  has(name: string): boolean
  records(): readonly ResourceRecord[]
}

interface Entry<M> {
  active?: { readonly version: string; readonly message: M; readonly at: number; readonly fixed: boolean }
  next?: { readonly version: string; readonly message: M; readonly at: number; stop: Unsubscribe }
  error?: ResourceRecord['error']
}

export function createWarmedSet<M extends object, T>(options: WarmedSetOptions<M, T>): WarmedSet<M> {
  const { clock, kind } = options
  const entries = new Map<string, Entry<M>>()
  let warming = 0

  const countWarming = (by: number): void => {
    warming += by
    options.onWarming?.(warming)
  }
  const entryOf = (name: string): Entry<M> => {
    let entry = entries.get(name)
    if (entry === undefined) {
      entry = {}
      entries.set(name, entry)
    }
    return entry
  }
  const abandon = (name: string, entry: Entry<M>): void => {
    if (entry.next === undefined) return
    entry.next.stop()
    delete entry.next
    options.hold(`${kind} ${name} warming`, undefined)
    countWarming(-1)
  }
  const note = (entry: Entry<M>, rejection: Rejection, version: string): Rejection => {
    entry.error = { message: rejection.message, version, at: clock.now() }
    return rejection
  }

  /** The new one takes over, unless it fails at the last step. */
  const enter = (
    name: string,
    version: string,
    message: M,
    value: T,
    fixed: boolean,
  ): undefined | Promise<Rejection | undefined> => {
    const entry = entryOf(name)
    const done = (rejection: Rejection | undefined): Rejection | undefined => {
      // Removed while its socket was binding.
      if (entries.get(name) !== entry) return undefined
      if (rejection !== undefined) {
        options.logger.error({ kind, name, reason: rejection.message }, `${kind.toLowerCase()} could not be put into force`)
        return note(entry, rejection, version)
      }
      entry.active = { version, message, at: clock.now(), fixed }
      delete entry.error
      options.hold(`${kind} ${name}`, message)
      return undefined
    }
    const outcome = options.activate(name, value)
    if (outcome !== undefined) return outcome.then(done)
    done(undefined)
    return undefined
  }

  const warmUp = (
    name: string,
    version: string,
    message: M,
    value: T,
    fixed: boolean,
  ): undefined | Promise<Rejection | undefined> => {
    const entry = entryOf(name)
    const owner = `${kind} ${name} warming`
    let outcome: undefined | Promise<Rejection | undefined>
    options.hold(owner, message)
    entry.next = { version, message, at: clock.now(), stop: () => {} }
    countWarming(1)
    const next = entry.next
    next.stop = warm({
      needs: options.needs(name, message, value),
      timeoutMs: options.timeoutMs,
      clock,
      ready(missing) {
        if (missing.length > 0) options.logger.warn({ kind, name, missing }, 'warming timed out: serving without what is missing')
        delete entry.next
        outcome = enter(name, version, message, value, fixed)
        const settle = (): void => {
          options.hold(owner, undefined)
          countWarming(-1)
        }
        if (outcome === undefined) settle()
        else outcome = outcome.finally(settle)
      },
    })
    return outcome
  }

  return {
    apply(name, version, message, state) {
      const entry = entryOf(name)
      if (entry.active?.fixed && state !== 'static')
        return note(entry, { name, message: 'a static resource has this name' }, version)
      if (entry.next !== undefined && equal(entry.next.message, message)) return undefined
      if (entry.active !== undefined && equal(entry.active.message, message)) {
        abandon(name, entry)
        entry.active = { ...entry.active, version }
        delete entry.error
        return undefined
      }
      const compiled = options.compile(message)
      if (!compiled.ok) return note(entry, rejectionOf(name, compiled.diagnostics), version)
      logWarnings(options.logger, `${kind} ${name}`, compiled.diagnostics)
      abandon(name, entry)
      return warmUp(name, version, message, compiled.value, state === 'static')
    },
    refuse(rejection, version) {
      note(entryOf(rejection.name), rejection, version)
    },
    remove(name) {
      const entry = entries.get(name)
      if (entry === undefined || entry.active?.fixed) return
      abandon(name, entry)
      entries.delete(name)
      if (entry.active !== undefined) options.deactivate(name)
      options.hold(`${kind} ${name}`, undefined)
    },
    get warming() {
      return warming
    },
    has(name) {
      const entry = entries.get(name)
      return entry?.active !== undefined || entry?.next !== undefined
    },
    records: () => [...entries].flatMap(([name, entry]) => recordsOf(options.typeUrl, name, entry)),
  }
}

function recordsOf<M extends object>(typeUrl: string, name: string, entry: Entry<M>): ResourceRecord[] {
  const { active, next, error } = entry
  const records: ResourceRecord[] = []
  const shared = { typeUrl, name, ...(error !== undefined && { error }) }
  if (active !== undefined) {
    const { version, message, at, fixed } = active
    records.push({ ...shared, state: fixed ? 'static' : 'active', version, message, updatedAt: at })
  }
  if (next !== undefined)
    records.push({ ...shared, state: 'warming', version: next.version, message: next.message, updatedAt: next.at })
  if (records.length === 0 && error !== undefined)
    records.push({ ...shared, state: 'warming', version: '', message: {}, updatedAt: error.at })
  return records
}

export function logWarnings(logger: Logger, subject: string, diagnostics: readonly Diagnostic[]): void {
  for (const { path, message, code } of diagnostics) logger.warn({ subject, path, code }, message)
}
