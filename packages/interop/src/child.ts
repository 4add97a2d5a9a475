import { type ChildProcess, spawn } from 'node:child_process'

/** A foreign program beside the test. */
export interface Child {
  /** What it has written to stdout and stderr. */
  readonly output: string
  readonly ended: boolean
  /** SIGTERM, and SIGKILL when that does not end it. */
  stop(): Promise<void>
}

const STOP_TIMEOUT_MS = 5_000

/** Starts a program that ends with `stop`, and with this process, whatever way this process ends. */
export function startChild(path: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Child {
  const child = spawn(path, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const guard = guardOf(child)
  let output = ''
  let ended = false
  const collect = (bytes: Buffer): void => {
    output += bytes.toString()
  }
  child.stdout?.on('data', collect)
  child.stderr?.on('data', collect)
  const end = new Promise<void>((resolve) => {
    const finish = (): void => {
      ended = true
      guard?.kill('SIGKILL')
      resolve()
    }
    // With `exit` its last words may still be under way.
    child.once('close', finish)
    child.once('error', (error) => {
      output += String(error)
      finish()
    })
  })
  return {
    get output() {
      return output
    },
    get ended() {
      return ended
    },
    async stop() {
      const insist = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
      child.kill('SIGTERM')
      await end
      clearTimeout(insist)
    },
  }
}

/** A shell that waits for the end of its input, which is the end of this process, and then ends the child. */
function guardOf({ pid }: ChildProcess): ChildProcess | undefined {
  if (pid === undefined) return undefined
  const guard = spawn('sh', ['-c', 'read -r _; kill -KILL "$0"', String(pid)], { stdio: ['pipe', 'ignore', 'ignore'] })
  guard.unref()
  return guard
}

/** Runs a program to its end; rejects with what it wrote when it fails. */
export async function runChild(
  path: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const child = spawn(path, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const guard = guardOf(child)
  let [out, err] = ['', '']
  child.stdout.on('data', (bytes: Buffer) => {
    out += bytes.toString()
  })
  child.stderr.on('data', (bytes: Buffer) => {
    err += bytes.toString()
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  guard?.kill('SIGKILL')
  if (code !== 0) throw new Error(`${path} ended with ${code}: ${err}${out}`)
  return out
}
