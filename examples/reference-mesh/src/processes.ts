import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A program of the mesh, in a process of its own. It ends when the demo does, whatever way the demo ends. */
export interface Program {
  readonly name: string
  readonly logFile: string
  /** What the program told when it was ready. */
  readonly ready: Record<string, unknown>
  kill(signal?: NodeJS.Signals): Promise<void>
}

const START_TIMEOUT_MS = 30_000
const STOP_TIMEOUT_MS = 5_000

export interface Programs {
  /** Starts `script` (a sibling of this file) and waits until it says that it is ready. */
  start(name: string, script: string, env: Record<string, string>): Promise<Program>
  stopAll(): Promise<void>
}

/** Programs write their output into `<logFolder>/<name>.log`. */
export function createPrograms(logFolder: string): Programs {
  const running = new Set<ChildProcess>()

  const stop = (child: ChildProcess, signal: NodeJS.Signals): Promise<void> =>
    new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve()
      const insist = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
      child.once('exit', () => {
        clearTimeout(insist)
        resolve()
      })
      child.kill(signal)
    })

  const start = (name: string, script: string, env: Record<string, string>): Promise<Program> =>
    new Promise((resolve, reject) => {
      const logFile = join(logFolder, `${name}.log`)
      const log = createWriteStream(logFile, { flags: 'a' })
      // The IPC channel carries readiness, and its end tells the child that the demo is gone.
      const child = spawn(process.execPath, [fileURLToPath(new URL(script, import.meta.url))], {
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      })
      running.add(child)
      child.stdout?.pipe(log)
      child.stderr?.pipe(log)
      const late = setTimeout(
        () => reject(new Error(`${name} was not ready after ${START_TIMEOUT_MS / 1000} s; see ${logFile}`)),
        START_TIMEOUT_MS,
      )
      child.once('error', reject)
      child.once('exit', (code, signal) => {
        running.delete(child)
        clearTimeout(late)
        reject(new Error(`${name} ended with ${signal ?? code} before it was ready; see ${logFile}`))
      })
      child.once('message', (message) => {
        clearTimeout(late)
        resolve({ name, logFile, ready: message as Record<string, unknown>, kill: (signal = 'SIGTERM') => stop(child, signal) })
      })
    })

  return {
    start,
    async stopAll() {
      await Promise.all([...running].map((child) => stop(child, 'SIGTERM')))
    },
  }
}
