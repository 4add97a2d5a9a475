import { type ChildProcess, spawn } from 'node:child_process'
import { type Clock, createBackoff, createWatch, type Logger, type Random, type Watch } from '@heddle/runtime'

export interface SupervisorOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Tests give their own. */
  readonly start?: (command: string, args: readonly string[]) => ChildProcess
}

/** Keeps one process running. */
export interface Supervisor {
  /** The process's id; undefined while it is away. */
  readonly running: Watch<number | undefined>
  /** How often it had to be started again. */
  readonly restarts: number
  start(): void
  /** Ends it for good: `signal`, and SIGKILL after `graceMs`. Resolves when it has ended. */
  stop(signal: NodeJS.Signals, graceMs: number): Promise<void>
}

/** Who has run this long is well; the next end is its first again. */
const WELL_MS = 10_000

/** What ends is started again: at once the first time, then with back-off (up to 400 ms, doubled to 5 s). */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { command, args, env = {}, clock, random, logger } = options
  const start = options.start ?? ((path, list) => spawn(path, [...list], { stdio: 'inherit', env: { ...process.env, ...env } }))
  const running = createWatch<number | undefined>(undefined)
  const backoff = createBackoff({ clock, random, baseMs: 200, maxMs: 5_000 })
  let child: ChildProcess | undefined
  let stopping = false
  let restarts = 0
  let ended: Promise<void> = Promise.resolve()

  const launch = (): void => {
    if (stopping) return
    const startedAt = clock.monotonic()
    const present = start(command, args)
    child = present
    ended = new Promise((resolve) => {
      const finish = (why: string): void => {
        if (child !== present) return
        child = undefined
        running.set(undefined)
        resolve()
        if (stopping) return
        if (clock.monotonic() - startedAt >= WELL_MS) backoff.reset()
        const delay = backoff.failures === 0 ? firstDelay(backoff) : backoff.nextDelay()
        restarts++
        logger.error({ command, why, delayMs: delay }, 'the proxy has ended; starting it again')
        clock.after(delay, launch)
      }
      present.once('error', (error) => finish(error.message))
      present.once('exit', (code, signal) => finish(signal ?? `exit ${code}`))
    })
    running.set(present.pid)
  }

  return {
    running,
    get restarts() {
      return restarts
    },
    start: launch,
    async stop(signal, graceMs) {
      stopping = true
      const present = child
      if (present === undefined) return
      present.kill(signal)
      const insist = clock.after(graceMs, () => present.kill('SIGKILL'))
      await ended
      insist()
    },
  }
}

/** The first restart is at once, and counts. */
function firstDelay(backoff: { nextDelay(): number }): number {
  backoff.nextDelay()
  return 0
}
