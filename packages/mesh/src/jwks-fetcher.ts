import { type Clock, createBackoff, type Logger, type Random, type Unsubscribe } from '@heddle/runtime'
import type { JwksSource } from '@heddle/translator'

export interface JwksFetcherOptions {
  /** Asks for one document; rejects with why there is none. */
  get(url: string): Promise<string>
  readonly clock: Clock
  readonly random: Random
  readonly logger?: Logger
  /** Keys have come, or others than before: what was translated with the old ones is out of date. */
  changed(): void
  /** How often known keys are asked for again; default 20 minutes, as istiod. */
  readonly refreshMs?: number
}

/** Keys of RequestAuthentications, fetched by the control plane: proxies get them inline, and no token is good before they are there. */
export interface JwksFetcher {
  /** What the translator asks: undefined while nothing is known. The first question starts the fetching. */
  readonly jwks: (source: JwksSource) => string | undefined
  close(): void
}

interface Entry {
  keys: string | undefined
  stop: Unsubscribe
}

const REFRESH_MS = 20 * 60_000
const DISCOVERY = '/.well-known/openid-configuration'

/** Keys once known stay when a later fetch fails; failures are tried again after 1 s, doubling to a minute. */
export function createJwksFetcher(options: JwksFetcherOptions): JwksFetcher {
  const { clock, random, logger, refreshMs = REFRESH_MS } = options
  const entries = new Map<string, Entry>()
  let closed = false

  const follow = (source: JwksSource, entry: Entry): void => {
    const backoff = createBackoff({ clock, random, baseMs: 1000, maxMs: 60_000 })
    const run = (): void => {
      fetchKeys(source, options.get).then(
        (keys) => {
          if (closed) return
          backoff.reset()
          entry.stop = clock.after(refreshMs, run)
          if (keys === entry.keys) return
          entry.keys = keys
          options.changed()
        },
        (error: Error) => {
          if (closed) return
          logger?.warn({ ...source, reason: error.message }, 'keys of a RequestAuthentication cannot be fetched')
          entry.stop = backoff.retry(run)
        },
      )
    }
    run()
  }
  return {
    jwks(source) {
      const key = JSON.stringify([source.jwksUri, source.issuer])
      let entry = entries.get(key)
      if (entry === undefined) {
        entry = { keys: undefined, stop: () => {} }
        entries.set(key, entry)
        follow(source, entry)
      }
      return entry.keys
    },
    close() {
      closed = true
      for (const { stop } of entries.values()) stop()
      entries.clear()
    },
  }
}

/** Without a jwksUri the issuer's OpenID configuration tells it (OpenID Connect Discovery 1.0 §4). */
async function fetchKeys({ jwksUri, issuer }: JwksSource, get: JwksFetcherOptions['get']): Promise<string> {
  const uri = jwksUri !== '' ? jwksUri : await discover(issuer, get)
  const text = await get(uri)
  const { keys } = objectIn(text)
  if (!Array.isArray(keys)) throw new Error(`${uri} answered no JWKS`)
  return text
}

async function discover(issuer: string, get: JwksFetcherOptions['get']): Promise<string> {
  const url = issuer.replace(/\/$/, '') + DISCOVERY
  const { jwks_uri: uri } = objectIn(await get(url))
  if (typeof uri !== 'string') throw new Error(`${url} names no jwks_uri`)
  return uri
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
  } catch {
    return {}
  }
}
