import type { Clock, Logger, Random } from '@heddle/runtime'
import type { HttpUri } from '../config/grpc-service.js'
import type { HttpClient } from '../upstream/http-client.js'
import { parseJwks, type VerificationKey } from './jwks.js'
import type { Later } from './later.js'
import { type JwtProblem, PROBLEM } from './problems.js'

/** RemoteJwks, compiled. */
export interface RemoteJwksConfig {
  /** Only says which Host and path to ask the cluster for: an address in it leads nowhere. */
  readonly uri: HttpUri
  /** Keys are asked for again after that; Envoy's default is ten minutes. */
  readonly cacheMs: number
  /** Keys are fetched before the first token comes, and renewed while the old ones still serve. */
  readonly async: boolean
  readonly retries: number
  readonly retryBaseMs: number
  /** Milliseconds for each attempt, within those of all; Infinity: no limit of its own. */
  readonly attemptMs: number
}

export interface RemoteKeysDeps {
  readonly http: HttpClient | undefined
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  counted(outcome: 'jwks_fetch_success' | 'jwks_fetch_failed'): void
}

export type Keys = readonly VerificationKey[]

export interface RemoteKeys {
  /** The keys in force, or why there are none: without true keys every token is refused. */
  get(): Later<Keys | JwtProblem>
}

/** One fetch at a time serves all who wait. A failed fetch leaves no keys behind, and never old ones past their time (CVE-2026-31837). */
export function createRemoteKeys(config: RemoteJwksConfig, deps: RemoteKeysDeps): RemoteKeys {
  const { clock } = deps
  let keys: Keys | undefined
  let fetchedAt = 0
  let running: Promise<Keys | JwtProblem> | undefined
  const fetch = (): Promise<Keys | JwtProblem> => {
    running ??= fetchKeys(config, deps).then((result) => {
      running = undefined
      if (Array.isArray(result)) {
        keys = result as Keys
        fetchedAt = clock.monotonic()
      }
      return result
    })
    return running
  }
  if (config.async) void fetch()
  return {
    get() {
      const age = clock.monotonic() - fetchedAt
      if (keys !== undefined && age < config.cacheMs) return keys
      // Asynchronous: late keys serve once more, so that nobody waits, but not for ever.
      if (config.async && keys !== undefined && age < 2 * config.cacheMs) {
        void fetch()
        return keys
      }
      return fetch()
    },
  }
}

async function fetchKeys(config: RemoteJwksConfig, deps: RemoteKeysDeps): Promise<Keys | JwtProblem> {
  const deadline = deps.clock.monotonic() + (config.uri.timeoutMs || Infinity)
  for (let attempt = 0; ; attempt++) {
    const left = Math.min(config.attemptMs, deadline - deps.clock.monotonic())
    const result =
      left > 0 ? await fetchOnce(config, left === Infinity ? 0 : Math.ceil(left), deps.http) : 'there is no time left'
    if (typeof result !== 'string') {
      deps.counted('jwks_fetch_success')
      return result.length === 0 ? PROBLEM.noKeys : result
    }
    if (attempt >= config.retries) {
      deps.counted('jwks_fetch_failed')
      const { cluster, authority, path } = config.uri
      deps.logger.warn({ cluster, authority, path, reason: result }, 'jwt_authn: keys cannot be fetched')
      return PROBLEM.fetch
    }
    const delay = config.retryBaseMs * 2 ** attempt * deps.random.next()
    await new Promise<void>((resolve) => deps.clock.after(delay, resolve))
  }
}

/** The name that Envoy goes by here: some who keep keys refuse those without. */
const HEADERS = [['user-agent', 'Go-browser']] as const

/** The keys, or why there are none. */
async function fetchOnce({ uri }: RemoteJwksConfig, timeoutMs: number, http: HttpClient | undefined): Promise<Keys | string> {
  if (http === undefined) return 'there is no network'
  const answer = await http.call({ ...uri, timeoutMs, method: 'GET', headers: HEADERS, forwardedFor: true }).done
  if ('failure' in answer) return answer.failure
  if (answer.status !== 200) return `the answer is ${answer.status}`
  return parseJwks(new TextDecoder().decode(answer.body)) ?? 'the answer is no JWKS'
}
