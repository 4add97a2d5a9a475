import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, connect as openSocket } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '@heddle/runtime'
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

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
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
