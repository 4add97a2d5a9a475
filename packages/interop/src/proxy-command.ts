import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type Agent, request } from 'node:http'
import { join } from 'node:path'
import { eventually } from './eventually.js'
import { heddleWords } from './heddle-command.js'

/** `heddle proxy` in a process of its own. */
export interface ProxyCommand {
  readonly pid: number
  /** The port of its admin interface, once it has one. */
  admin(): Promise<number>
  /** Asks it to drain and leave. */
  stop(): void
  /** What it has said on stderr. */
  errors(): string
  /** Its exit code. */
  readonly code: Promise<number | null>
}

/** Starts it on a bootstrap, of which `folder` gets the file. */
export function runProxy(folder: string, name: string, bootstrap: object, flags: readonly string[]): ProxyCommand {
  const [file, addressFile] = [join(folder, `${name}.json`), join(folder, `${name}.txt`)]
  writeFileSync(file, JSON.stringify(bootstrap))
  const [program = '', ...words] = heddleWords()
  const all = ['proxy', '-c', file, '--admin-address-path', addressFile, '--log-level', 'error', ...flags]
  const child = spawn(program, [...words, ...all], { stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (bytes: Buffer) => {
    errors += bytes.toString()
  })
  return {
    pid: child.pid ?? 0,
    async admin() {
      const text = await eventually(() => existsSync(addressFile) && readFileSync(addressFile, 'utf8'), Boolean)
      return Number(String(text).split(':')[1])
    },
    stop: () => void child.kill('SIGTERM'),
    errors: () => errors,
    // With `exit` the last words may still be under way.
    code: new Promise((resolve) => child.once('close', resolve)),
  }
}

export interface Got {
  readonly status: number
  readonly text: string
}

/** One request to 127.0.0.1. */
export function get(
  port: number,
  path: string,
  { method = 'GET', agent }: { method?: string; agent?: Agent } = {},
): Promise<Got> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, agent: agent ?? false }, (response) => {
      let text = ''
      response.on('data', (bytes: Buffer) => {
        text += bytes.toString()
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    asked.on('error', reject)
    asked.end()
  })
}

/** A statistic of all workers together. */
export async function stat(admin: number, name: string): Promise<number> {
  const { text } = await get(admin, `/stats?filter=^${name}$`)
  return Number(/: (\d+)/.exec(text)?.[1] ?? Number.NaN)
}
