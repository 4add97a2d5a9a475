import { spawn } from 'node:child_process'

export interface RunOptions {
  readonly cwd: string
  /** Ends the program after this long; then `code` is null. Default 120 s. */
  readonly timeoutMs?: number
  readonly env?: NodeJS.ProcessEnv
  /** Called with all of stdout so far; what it returns true for may be ended early, see `Finished.stopped`. */
  readonly enough?: (stdout: string) => boolean
  /** How long a program that has said enough may still fail. Default 500 ms. */
  readonly graceMs?: number
}

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** It had said enough and was still running well when it was ended. */
  readonly stopped: boolean
}

/** The environment of a user's shell: what pnpm and turbo set for their own scripts is left out. */
export function plainEnv(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const kept = /^npm_config_(registry|cache|userconfig|proxy|https_proxy|cafile)$/i
  const own = /^(npm_|pnpm_|turbo_|node_options$|node_path$|init_cwd$|force_color$)/i
  return Object.fromEntries(Object.entries(env).filter(([name]) => kept.test(name) || !own.test(name)))
}

/** Runs a program to its end. Never rejects: a program that cannot be started has code null and says why on stderr. */
export function run(command: string, args: readonly string[], options: RunOptions): Promise<Finished> {
  const { cwd, timeoutMs = 120_000, env = plainEnv(), enough, graceMs = 500 } = options
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env: { ...env, NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    let stopped = false
    let grace: NodeJS.Timeout | undefined
    const limit = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      if (grace !== undefined || enough?.(stdout) !== true) return
      grace = setTimeout(() => {
        stopped = true
        child.kill('SIGKILL')
      }, graceMs)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.on('error', (error) => {
      stderr += error.message
    })
    child.on('close', (code) => {
      clearTimeout(limit)
      clearTimeout(grace)
      resolve({ code, stdout, stderr, stopped })
    })
  })
}

/** The end of what a program said, for a message on one line. */
export function lastWords({ stdout, stderr, code }: Finished, length = 400): string {
  const said = `${stdout.trim()}\n${stderr.trim()}`.trim().replace(/\s*\n\s*/g, ' | ')
  const end = code === null ? 'ended by force' : `exit ${code}`
  return `${end}: ${said.length > length ? `…${said.slice(-length)}` : said}`
}
