import {
  type Clock,
  createBackoff,
  createWatch,
  formatDiagnostic,
  type Logger,
  type Random,
  silentLogger,
  type Unsubscribe,
  type Watch,
} from '@heddle/runtime'
import { readSpiffeBundle, type TrustBundle } from './trust-bundle.js'

export interface FollowBundleOptions {
  /** Whose bundle this is: by configuration, never by what the endpoint says (Trust Domain and Bundle §5). */
  readonly trustDomain: string
  /** Gets the JWK Set, over HTTPS with a certificate that is checked. Ends when the signal says so. */
  readonly fetch: (signal: AbortSignal) => Promise<string>
  readonly clock: Clock
  readonly random: Random
  readonly logger?: Logger
  /** When the bundle gives no hint; default 5 min. */
  readonly refreshMs?: number
  /** However small the hint; default 10 s. */
  readonly shortestRefreshMs?: number
  /** For one answer; default 10 s. */
  readonly timeoutMs?: number
}

/** The bundle of another trust domain, kept up to date. */
export interface FollowedBundle {
  /** Undefined until the first is there. What cannot be fetched or read, and what is older than the last, changes nothing. */
  readonly bundle: Watch<TrustBundle | undefined>
  close(): void
}

export function followBundle(options: FollowBundleOptions): FollowedBundle {
  const { trustDomain, fetch, clock, random, logger = silentLogger } = options
  const { refreshMs = 300_000, shortestRefreshMs = 10_000, timeoutMs = 10_000 } = options
  const bundle = createWatch<TrustBundle | undefined>(undefined)
  const backoff = createBackoff({ clock, random, baseMs: 1000, maxMs: refreshMs })
  let closed = false
  let cancel: Unsubscribe = () => {}
  let abort = new AbortController()
  let text: string | undefined

  const ask = async (): Promise<void> => {
    abort = new AbortController()
    const overdue = clock.after(timeoutMs, () => abort.abort(new Error(`no answer within ${timeoutMs} ms`)))
    try {
      const answer = await fetch(abort.signal)
      if (closed) return
      take(answer)
      backoff.reset()
      const hint = (bundle.current?.refreshHintSeconds ?? 0) * 1000
      cancel = clock.after(Math.max(hint === 0 ? refreshMs : hint, shortestRefreshMs), () => void ask())
    } catch (error) {
      if (closed) return
      const reason = error instanceof Error ? error.message : String(error)
      logger.warn({ trustDomain, reason }, 'the trust bundle cannot be had; the last one stays')
      cancel = backoff.retry(() => void ask())
    } finally {
      overdue()
    }
  }
  const take = (answer: string): void => {
    if (answer === text) return
    const read = readSpiffeBundle(trustDomain, answer)
    if (!read.ok) throw new Error(read.diagnostics.map(formatDiagnostic).join('; '))
    const [last = 0, next = last] = [bundle.current?.sequence, read.value.sequence]
    // An old copy, from a cache or from somebody who would like a root back that has gone.
    if (next < last) throw new Error(`its sequence ${next} is below ${last}`)
    text = answer
    bundle.set(read.value)
  }
  void ask()
  return {
    bundle,
    close() {
      closed = true
      cancel()
      abort.abort(new Error('closed'))
    },
  }
}
