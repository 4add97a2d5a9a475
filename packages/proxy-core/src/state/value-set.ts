import type { Clock, Logger, Result } from '@heddle/runtime'
import { rejectionOf } from '../xds/nack.js'
import type { Rejection } from '../xds/protocol.js'
import type { NamedValues } from './named-values.js'
import { logWarnings, type ResourceRecord } from './warmed-set.js'

export interface ValueSetOptions<M extends object, T> {
  typeUrl: string
  kind: string
  /** `previous`: the value in force under this name, whose unchanged parts keep their identity. */
  compile(message: M, previous: T | undefined): Result<T>
  values: NamedValues<T>
  clock: Clock
  logger: Logger
}

/** Endpoints, route tables or secrets: compiled and published at once, for whoever watches the name. */
export interface ValueSet<M extends object> {
  apply(name: string, version: string, message: M): Rejection | undefined
  refuse(rejection: Rejection, version: string): void
  /** The server has none, or no longer: what is at hand goes on serving. */
  markAbsent(name: string): void
  forget(name: string): void
  records(): readonly ResourceRecord[]
}

export function createValueSet<M extends object, T>(options: ValueSetOptions<M, T>): ValueSet<M> {
  const { values, clock, kind, typeUrl } = options
  const records = new Map<string, ResourceRecord>()
  const refuse = (rejection: Rejection, version: string): Rejection => {
    const error = { message: rejection.message, version, at: clock.now() }
    const before = records.get(rejection.name) ?? {
      typeUrl,
      name: rejection.name,
      state: 'active',
      version: '',
      message: {},
      updatedAt: error.at,
    }
    records.set(rejection.name, { ...before, error })
    return rejection
  }
  return {
    apply(name, version, message) {
      const compiled = options.compile(message, values.get(name))
      if (!compiled.ok) return refuse(rejectionOf(name, compiled.diagnostics), version)
      logWarnings(options.logger, `${kind} ${name}`, compiled.diagnostics)
      records.set(name, { typeUrl, name, state: 'active', version, message, updatedAt: clock.now() })
      values.set(name, compiled.value)
      return undefined
    },
    refuse,
    markAbsent: (name) => values.markAbsent(name),
    forget(name) {
      records.delete(name)
      values.forget(name)
    },
    records: () => [...records.values()],
  }
}
