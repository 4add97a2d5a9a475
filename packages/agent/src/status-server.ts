import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Logger } from '@heddle/runtime'
import { type AppProbe, probeApp } from './app-probes.js'
import { type AppScrape, mergeMetrics } from './metrics.js'

export interface StatusOptions {
  /** Undefined: ready; else why not. */
  notReady(): Promise<string | undefined>
  /** The agent's own metrics. */
  ownMetrics(): string
  /** Of the proxy's admin pages: `http://127.0.0.1:15000` */
  readonly admin: string
  readonly app: AppScrape | undefined
  readonly probes: Readonly<Record<string, AppProbe>>
  /** Where the app listens: probes go there. */
  readonly appAddress: string
  /** Of the DNS proxy. */
  nameTable?(): object | undefined
  quit(): void
  /** Has the proxy tell its clients to leave; it goes on running. */
  drain(): Promise<void>
  readonly logger: Logger
}

const LIMIT_MS = 5_000
const TEXT = 'text/plain; version=0.0.4; charset=utf-8'

/** Pages of the agent, on 15020: `/healthz/ready`, `/stats/prometheus`, `/app-health/…`, `/debug/ndsz`, `POST /drain`, `POST /quitquitquit`. */
export function createStatusServer(options: StatusOptions): Server {
  return createServer((request, response) => {
    answer(request, response, options).catch((error: unknown) => {
      options.logger.warn({ error: String(error), path: request.url }, 'a status page failed')
      reply(response, 500, 'internal error\n')
    })
  })
}

/** Only `/healthz/ready`, for 15021, where the proxy does not serve it itself. */
export function createHealthServer(notReady: StatusOptions['notReady']): Server {
  return createServer((request, response) => {
    if (pathOf(request) !== '/healthz/ready') return reply(response, 404, 'not found\n')
    void notReady().then((why) => replyReady(response, why))
  })
}

const pathOf = ({ url = '/' }: IncomingMessage): string => url.split('?')[0]!

function reply(response: ServerResponse, status: number, body: string, type = 'text/plain'): void {
  if (response.headersSent) return void response.end()
  response.writeHead(status, { 'content-type': type }).end(body)
}

function replyReady(response: ServerResponse, why: string | undefined): void {
  if (why === undefined) reply(response, 200, '')
  else reply(response, 503, `not ready: ${why}\n`)
}

async function answer(request: IncomingMessage, response: ServerResponse, options: StatusOptions): Promise<void> {
  const path = pathOf(request)
  if (path === '/healthz/ready') return replyReady(response, await options.notReady())
  if (path === '/stats/prometheus') return reply(response, 200, await metrics(options), TEXT)
  if (path.startsWith('/app-health/') || path.startsWith('/app-lifecycle/')) {
    const probe = Object.hasOwn(options.probes, path) ? options.probes[path] : undefined
    if (probe === undefined) return reply(response, 404, 'no such probe\n')
    return reply(response, await probeApp(probe, options.appAddress, request.headers['user-agent']), '')
  }
  if (path === '/debug/ndsz') {
    if (!isLoopback(request.socket.remoteAddress)) return reply(response, 403, 'only from this machine\n')
    return reply(response, 200, `${JSON.stringify(options.nameTable?.() ?? {}, undefined, 2)}\n`, 'application/json')
  }
  if (path !== '/quitquitquit' && path !== '/drain') return reply(response, 404, 'not found\n')
  if (request.method !== 'POST') return reply(response, 405, 'POST it\n')
  if (!isLoopback(request.socket.remoteAddress)) return reply(response, 403, 'only from this machine\n')
  if (path === '/drain') await options.drain()
  reply(response, 200, 'OK')
  if (path === '/quitquitquit') options.quit()
}

const isLoopback = (address: string | undefined): boolean => /^(::ffff:)?127\.|^::1$/.test(address ?? '')

async function metrics({ admin, app, ownMetrics, logger }: StatusOptions): Promise<string> {
  const [proxy, own] = await Promise.all([
    scrape(`${admin}/stats/prometheus`, logger),
    app === undefined ? undefined : scrape(`http://127.0.0.1:${app.port}${app.path}`, logger),
  ])
  return mergeMetrics(ownMetrics(), proxy, own)
}

async function scrape(url: string, logger: Logger): Promise<string | undefined> {
  try {
    const response = await fetch(url, { headers: { accept: TEXT }, signal: AbortSignal.timeout(LIMIT_MS) })
    if (response.ok) return await response.text()
    logger.warn({ url, status: response.status }, 'metrics could not be read')
  } catch (error) {
    logger.warn({ url, error: String(error) }, 'metrics could not be read')
  }
  return undefined
}
