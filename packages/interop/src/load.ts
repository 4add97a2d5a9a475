import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** What a load generator saw. */
export interface LoadReport {
  readonly sent: number
  /** How often each answer came. */
  readonly answers: Readonly<Record<string, number>>
  /** Resets, other statuses, answers of the wrong version: at most one line for each request. */
  readonly failures: readonly string[]
  /** How many connections got which certificate, by its fingerprint. */
  readonly certificates: Readonly<Record<string, number>>
}

/** A load generator in a process of its own, driven by lines. */
export interface Load {
  /** From now on any other answer is a failure, with `*` none; resolves when it is so. */
  only(name: string): Promise<void>
  end(): Promise<LoadReport>
  /** Ends it however it is. */
  stop(): Promise<void>
}

/** Starts `program`, which understands the lines `only NAME` and `end`. */
export function startLoad(path: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Load {
  const child = spawn(path, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const tell = async (line: string): Promise<string> => {
    child.stdin.write(`${line}\n`)
    const { value, done } = await lines.next()
    if (done === true) throw new Error('the load generator has ended')
    return String(value)
  }
  return {
    async only(name) {
      await tell(`only ${name}`)
    },
    end: async () => JSON.parse(await tell('end')) as LoadReport,
    stop() {
      child.kill('SIGKILL')
      return ended
    },
  }
}
