import { type Clock, type Logger, silentLogger } from '@heddle/runtime'
import type { ResourceAccess } from './access.js'
import { createLinearCache, type LinearCache } from './linear-cache.js'

/**
 * Looks for a resource that a client asks for and does not have in its set. Undefined: there is nothing to look for, the resource does not
 * exist. A promise: until it is settled the client is told neither that the resource is there nor that it is not.
 */
export type Lookup = (access: ResourceAccess) => Promise<void> | undefined

export interface OnDemandOptions {
  readonly typeUrl: string
  /** Finds or makes the resource; undefined when there is none. Called once for a name, however many clients wait for it. */
  readonly resolve: (access: ResourceAccess) => Promise<object | undefined>
  /** After which a resource counts as not existing; milliseconds, default 5,000. */
  readonly timeoutMs?: number
  /** How long what was not found is not looked for again; milliseconds, default 10,000. */
  readonly negativeTtlMs?: number
  readonly clock: Clock
  readonly logger?: Logger
}

/** Resources that come into being when somebody asks for them: clusters on demand, virtual hosts, secrets of a vault (xds-protocol 74). */
export interface OnDemandCache {
  /** What was found so far; its watch belongs into the node's `resources`, and `cache.delete` forgets. */
  readonly cache: LinearCache
  /** Give it to `createXdsServer`. */
  readonly lookup: Lookup
}

export function createOnDemandCache(options: OnDemandOptions): OnDemandCache {
  const { typeUrl, resolve, clock, timeoutMs = 5_000, negativeTtlMs = 10_000, logger = silentLogger } = options
  const cache = createLinearCache(typeUrl)
  const flights = new Map<string, Promise<void>>()
  const absentUntil = new Map<string, number>()
  // What is not found yet must not keep a client waiting for all the rest.
  cache.update({})

  const find = async (access: ResourceAccess): Promise<void> => {
    const found = await withTimeout(clock, timeoutMs, resolve(access)).catch((error: unknown) => {
      logger.warn({ error, typeUrl, name: access.name }, 'a resource could not be found on demand')
      return undefined
    })
    flights.delete(access.name)
    if (found !== undefined) cache.set(access.name, found)
    else {
      forgetExpired(absentUntil, clock.monotonic())
      absentUntil.set(access.name, clock.monotonic() + negativeTtlMs)
    }
  }
  return {
    cache,
    lookup(access) {
      const { name } = access
      if (access.typeUrl !== typeUrl || cache.get(name) !== undefined) return undefined
      if ((absentUntil.get(name) ?? 0) > clock.monotonic()) return undefined
      let flight = flights.get(name)
      if (flight === undefined) flights.set(name, (flight = find(access)))
      return flight
    },
  }
}

/** Several lookups, each for a type of its own. */
export function firstLookup(lookups: readonly Lookup[]): Lookup {
  return (access) => {
    for (const lookup of lookups) {
      const flight = lookup(access)
      if (flight !== undefined) return flight
    }
    return undefined
  }
}

function withTimeout<T>(clock: Clock, timeoutMs: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = clock.after(timeoutMs, () => reject(new Error(`not found within ${timeoutMs} ms`)))
    promise.then(resolve, reject).finally(stop)
  })
}

/** Names that nobody asks for again must not pile up. */
function forgetExpired(absentUntil: Map<string, number>, now: number): void {
  for (const [name, until] of absentUntil) {
    // Entered in the order in which they expire.
    if (until > now) return
    absentUntil.delete(name)
  }
}
