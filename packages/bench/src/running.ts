import { type ChildProcess, spawn } from 'node:child_process'
import { createServer, connect as openSocket } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock, systemRandom } from '@heddle/runtime'
import { type Placement, placed, type Role } from './placement.js'

const START_MS = 20_000

/** A process that we started and will stop. */
export interface Running {
  readonly pid: number
  /** The next line of its standard output; rejects when it ends first, or says nothing for `patienceMs` (default 120 s): it hangs. */
  line(patienceMs?: number): Promise<string>
  send(line: string): void
  /** Resolves with its exit code and what it printed on standard error. */
  readonly ended: Promise<{ code: number | null; errors: string }>
  /** SIGKILL: nothing of a round is worth a graceful end. */
  stop(): Promise<void>
}

export function start(placement: Placement, role: Role, command: readonly string[]): Running {
  const [program = '', ...args] = placed(placement, role, command)
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.on('error', () => {})
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4000)
  })
  const ended = endOf(child).then((code) => ({ code, errors }))
  const line = linesOf(child, ended, program)
  return {
    pid: child.pid ?? -1,
    line,
    send: (text) => void child.stdin.write(`${text}\n`),
    ended,
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function endOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(-1))
    child.once('close', (code) => resolve(code))
  })
}

/** Longer than any warm-up, measurement or state that a case asks for. */
const PATIENCE_MS = 120_000

function linesOf(child: ChildProcess, ended: Running['ended'], program: string): Running['line'] {
  const lines = createInterface({ input: child.stdout! })
  const ready: string[] = []
  let wake = (): void => {}
  lines.on('line', (text) => {
    ready.push(text)
    wake()
  })
  return async (patienceMs = PATIENCE_MS) => {
    const stop = new AbortController()
    const late = sleep(patienceMs, 'late' as const, { signal: stop.signal }).catch(() => undefined)
    try {
      while (ready.length === 0) {
        const next = new Promise<undefined>((resolve) => {
          wake = () => resolve(undefined)
        })
        const end = await Promise.race([next, ended, late])
        if (end === 'late') throw new Error(`${program} hangs: it has said nothing for ${patienceMs / 1000} s`)
        if (end !== undefined && ready.length === 0) throw new Error(`${program} ended (${end.code}): ${end.errors.trim()}`)
      }
      return ready.shift()!
    } finally {
      stop.abort()
    }
  }
}

/** Resolves once something listens there; rejects with what the process said when it ended instead. */
export async function listening(port: number, running: Running): Promise<void> {
  let end: { code: number | null; errors: string } | undefined
  void running.ended.then((value) => {
    end = value
  })
  const deadline = systemClock.monotonic() + START_MS
  while (!(await accepts(port))) {
    if (end !== undefined) throw new Error(`it ended (${end.code}) before it listened on ${port}: ${end.errors.trim()}`)
    if (systemClock.monotonic() > deadline) throw new Error(`nothing listens on ${port} after ${START_MS / 1000} s`)
    await sleep(20)
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = openSocket(port, '127.0.0.1')
    const done = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => done(true))
    socket.once('error', () => done(false))
  })
}

// Below the range from which systems take ports for outgoing connections: what is free stays free until the process listens. Workers of
// a test run have shares of their own.
const FIRST_PORT = 20_000
const SHARE = 1_500
const share = FIRST_PORT + (Number(process.env['VITEST_POOL_ID'] ?? 0) % 8) * SHARE
let nextPort = Math.floor(systemRandom.next() * SHARE)

/** A port that nobody listens on, another each time. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < SHARE; tries++) {
    const port = share + (nextPort++ % SHARE)
    const server = createServer()
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
    })
    if (free) return port
  }
  throw new Error(`no free port from ${share} on`)
}

/** Runs `use` with processes that are stopped whatever happens. */
export async function withProcesses<T>(use: (keep: (running: Running) => Running) => Promise<T>): Promise<T> {
  const all: Running[] = []
  try {
    return await use((running) => {
      all.push(running)
      return running
    })
  } finally {
    await Promise.all(all.map((running) => running.stop()))
  }
}
