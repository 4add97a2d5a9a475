import { type Clock, createBackoff, type Random, systemRandom } from '@heddle/runtime'
import type { AnyResource } from '../../kinds/index.js'
import { pause } from '../pause.js'
import type { Registry, RegistrySink } from '../registry.js'
import { type ConsulInstance, toServiceEntry } from './service-entry.js'

export interface ConsulOptions {
  /** Of the agent: `http://127.0.0.1:8500`. */
  readonly url: string
  readonly clock: Clock
  /** Chance for the pauses after failures; default {@link systemRandom}. */
  readonly random?: Random
  /** Of the ServiceEntries; default `consul`. */
  readonly namespace?: string
  /** Host of a service: default `<service>.service.consul`. */
  readonly hostOf?: (service: string) => string
  /** ACL token. */
  readonly token?: string
  /** Default: the agent's own. */
  readonly datacenter?: string
  /** How long Consul may hold a query that has nothing new, in seconds; default 300. */
  readonly waitSeconds?: number
  /** Default: the platform's. */
  readonly fetch?: typeof fetch
}

/**
 * Services of Consul as ServiceEntries of healthy instances, followed by blocking queries (developer.hashicorp.com/consul/api-docs/features/blocking):
 * one for the list of services, one for each service. Service `consul` itself is left out.
 */
export function createConsulRegistry(options: ConsulOptions): Registry {
  return {
    name: 'Consul',
    follow(sink) {
      const abort = new AbortController()
      followCatalog(options, sink, abort.signal)
      return () => abort.abort()
    },
  }
}

type Catalog = Readonly<Record<string, readonly string[]>>

function followCatalog(options: ConsulOptions, sink: RegistrySink, signal: AbortSignal): void {
  const entries = new Map<string, AnyResource | undefined>()
  const waiting = new Set<string>()
  const followers = new Map<string, AbortController>()
  const failures = new Map<string, string>()
  let listed = false

  const failing = (what: string) => (reason: string | undefined) => {
    if (reason === undefined) failures.delete(what)
    else failures.set(what, reason)
    sink.failing([...failures.values()][0])
  }
  // Nothing is given before everything is known once, so that no service seems to be gone.
  const give = (): void => {
    if (!listed || waiting.size > 0) return
    sink.replace([...entries.values()].filter((entry) => entry !== undefined))
  }
  const followService = (service: string): void => {
    const own = new AbortController()
    followers.set(service, own)
    waiting.add(service)
    const path = `/v1/health/service/${encodeURIComponent(service)}?passing=1`
    void query<readonly ConsulInstance[]>(options, path, AbortSignal.any([signal, own.signal]), failing(service), (instances) => {
      const { entry, problems } = toServiceEntry(service, instances, options)
      sink.report(service, problems)
      // One that Istio would not take keeps its last good version.
      if (problems.length === 0) entries.set(service, entry)
      waiting.delete(service)
      give()
    })
  }
  void query<Catalog>(options, '/v1/catalog/services', AbortSignal.any([signal]), failing(''), (catalog) => {
    listed = true
    const names = Object.keys(catalog).filter((service) => service !== 'consul')
    for (const service of names) if (!followers.has(service)) followService(service)
    for (const [service, follower] of followers) {
      if (names.includes(service)) continue
      follower.abort()
      failing(service)(undefined)
      followers.delete(service)
      entries.delete(service)
      waiting.delete(service)
      sink.report(service, [])
    }
    give()
  })
}

/** Asks again and again, each time for what is newer than the last answer. */
async function query<T>(
  options: ConsulOptions,
  path: string,
  signal: AbortSignal,
  failing: (reason: string | undefined) => void,
  answer: (value: T) => void,
): Promise<void> {
  const { clock, random = systemRandom, waitSeconds = 300 } = options
  const backoff = createBackoff({ clock, random })
  let index = 0
  while (!signal.aborted) {
    try {
      const response = await ask(options, `${path}${path.includes('?') ? '&' : '?'}index=${index}&wait=${waitSeconds}s`, signal)
      const value = (await response.json()) as T
      if (signal.aborted) return
      failing(undefined)
      backoff.reset()
      const next = Number(response.headers.get('x-consul-index') ?? 0)
      // An index that goes back means that Consul has begun anew.
      const moved = next !== index
      index = next < index || !Number.isFinite(next) ? 0 : next
      if (moved || next === 0) answer(value)
      // Without an index there is nothing to wait for.
      if (next === 0) await pause(clock, 1000, signal)
    } catch (error) {
      if (signal.aborted) return
      failing(error instanceof Error ? error.message : String(error))
      index = 0
      await pause(clock, backoff.nextDelay(), signal)
    }
  }
}

async function ask(
  { url, token, datacenter, fetch: get = fetch }: ConsulOptions,
  path: string,
  signal: AbortSignal,
): Promise<Response> {
  const target = `${url}${path}${datacenter === undefined ? '' : `&dc=${encodeURIComponent(datacenter)}`}`
  const response = await get(target, { signal, headers: token === undefined ? {} : { 'x-consul-token': token } })
  if (!response.ok) throw new Error(`${path.split('?')[0]} answers ${response.status}`)
  return response
}
