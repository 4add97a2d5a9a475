import { spawn } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { later } from './support.js'

/** What the load generator saw; whatever is not `ok` is in one of the lists. */
export interface LoadReport {
  readonly sent: number
  readonly ok: number
  readonly posts: number
  readonly streams: number
  /** Versions of the configuration that were seen. */
  readonly versions: number
  readonly resets: readonly string[]
  readonly truncated: readonly string[]
  readonly wrong: readonly string[]
}

export interface Load {
  /** No further requests; those under way are answered. */
  calm(): Promise<void>
  end(): Promise<LoadReport>
}

/** Starts live-load.mjs. */
export async function startLoad(port: number, rate: number): Promise<Load> {
  const script = fileURLToPath(new URL('live-load.mjs', import.meta.url))
  const child = spawn(process.execPath, [script, String(port), String(rate)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const gone = new Promise((resolve) => child.once('exit', resolve))
  later(() => {
    child.kill()
    return gone
  })
  const heard = async (): Promise<string> => String((await lines.next()).value)
  const say = (word: string): Promise<string> => {
    child.stdin.write(`${word}\n`)
    return heard()
  }
  await heard()
  return {
    async calm() {
      await say('calm')
    },
    async end() {
      const report = JSON.parse(await say('end')) as LoadReport
      await gone
      return report
    },
  }
}

export interface App {
  readonly port: number
  /** As a process that dies: every connection is cut, nobody listens. */
  kill(): Promise<void>
  restart(): Promise<void>
}

/** Answers `/`, echoes `/echo`, and sends `/stream` in parts, over about a second. */
export async function startApp(): Promise<App> {
  let server = await listen(0)
  const { port } = server.address() as AddressInfo
  const kill = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  later(kill)
  return {
    port,
    kill,
    async restart() {
      server = await listen(port)
    },
  }
}

async function listen(port: number): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/stream') === true) {
      const total = Number(/bytes=(\d+)/.exec(request.url)?.[1] ?? 0)
      let sent = 0
      const part = (): void => {
        response.write('x'.repeat(total / 10))
        sent += total / 10
        if (sent < total) setTimeout(part, 100)
        else response.end()
      }
      part()
    } else if (request.method === 'POST') request.pipe(response)
    else response.end('hello')
  })
  server.keepAliveTimeout = 600_000
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return server
}
