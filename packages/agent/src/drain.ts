import type { Clock } from '@heddle/runtime'

export interface DrainOptions {
  /** Of the proxy's admin pages: `http://127.0.0.1:15000` */
  readonly admin: string
  readonly limitMs: number
  readonly clock: Clock
}

const POLL_MS = 250

/** Has the proxy tell its clients to leave; it goes on taking connections meanwhile. */
export async function drainListeners(admin: string): Promise<void> {
  const response = await fetch(`${admin}/drain_listeners?graceful&skip_exit`, {
    method: 'POST',
    signal: AbortSignal.timeout(1_000),
  })
  await response.body?.cancel()
}

/** Has Envoy tell its clients to leave, and waits until they have, `limitMs` at most. It goes on taking connections meanwhile. */
export async function drainEnvoy({ admin, limitMs, clock }: DrainOptions): Promise<void> {
  const end = clock.monotonic() + limitMs
  try {
    await drainListeners(admin)
    // Of the first answer nobody may conclude: who has just been told goes with the next request.
    do {
      await new Promise<void>((resume) => clock.after(Math.min(POLL_MS, limitMs), resume))
    } while (clock.monotonic() < end && (await activeConnections(admin)) > 0)
  } catch {
    // It has gone already.
  }
}

/** Of all listeners but those of admin, metrics and readiness. */
async function activeConnections(admin: string): Promise<number> {
  const stats = await fetch(`${admin}/stats?usedonly&filter=^listener\\..*\\.downstream_cx_active$`, {
    signal: AbortSignal.timeout(1_000),
  })
  const lines = (await stats.text()).split('\n').filter((line) => !/^listener\.(admin|.*_(15090|15021))\./.test(line))
  return lines.reduce((sum, line) => sum + (Number(/: (\d+)$/.exec(line)?.[1]) || 0), 0)
}
