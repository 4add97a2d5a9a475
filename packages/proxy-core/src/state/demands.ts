import type { Clock } from '@heddle/runtime'
import type { ResourceRef } from '@heddle/xds-types'
import { createAwaited } from './awaited.js'
import { createNamedValues } from './named-values.js'

export interface DemandsOptions {
  typeUrl: string
  /** `owner` refers to these from now on. */
  hold(owner: string, refs: readonly ResourceRef[]): void
  clock: Clock
  /** The longest wait of a request; 0: for ever. */
  timeoutMs: number
}

/** Resources of a type that are asked for by name as requests come. */
export interface Demands {
  /** Asks for `name`, if that was not done. Undefined: it is there, or the server has said that there is none. */
  ask(name: string): Promise<void> | undefined
  /** Asks without waiting. */
  keep(name: string): void
  found(name: string): void
  /** There is none, or no longer. */
  missing(name: string): void
}

/** Names that stand for nothing and are remembered: whoever makes up names must not fill the memory. */
const MAX_MISSING = 1_000

export function createDemands({ typeUrl, hold, clock, timeoutMs }: DemandsOptions): Demands {
  const answers = createNamedValues<true>()
  const waits = createAwaited(answers, clock, timeoutMs)
  const absent = new Set<string>()
  const owner = (name: string): string => `${typeUrl} ${name} on demand`
  const keep = (name: string): void => hold(owner(name), [{ typeUrl, name }])
  return {
    keep,
    ask(name) {
      const wait = waits.wait(name)
      if (wait !== undefined) keep(name)
      return wait
    },
    found(name) {
      absent.delete(name)
      answers.set(name, true)
    },
    missing(name) {
      answers.clear(name)
      absent.delete(name)
      absent.add(name)
      for (const oldest of absent) {
        if (absent.size <= MAX_MISSING) return
        absent.delete(oldest)
        answers.forget(oldest)
        hold(owner(oldest), [])
      }
    },
  }
}
