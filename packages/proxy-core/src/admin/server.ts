import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { SocketAddress } from '../net/connection.js'
import { certs } from './certs-page.js'
import { clusters } from './clusters-page.js'
import { configDump } from './config-dump.js'
import { homePage } from './home-page.js'
import { listeners } from './listeners-page.js'
import { type AdminActions, type AdminViews, type Answer, type Page, text } from './page.js'
import { runtime, runtimeModify } from './runtime-pages.js'
import {
  drainListeners,
  healthcheckFail,
  healthcheckOk,
  hotRestartVersion,
  logging,
  memory,
  quit,
  ready,
  resetCounters,
  serverInfo,
} from './server-pages.js'
import { stats, statsPrometheus } from './stats-page.js'

const PAGES: readonly Page[] = [
  certs,
  clusters,
  configDump,
  drainListeners,
  healthcheckFail,
  healthcheckOk,
  hotRestartVersion,
  listeners,
  logging,
  memory,
  quit,
  ready,
  resetCounters,
  runtime,
  runtimeModify,
  serverInfo,
  stats,
  statsPrometheus,
]

export interface AdminServer {
  readonly address: SocketAddress
  close(): Promise<void>
}

/** Answers a request to the admin interface; pure but for the actions. */
export function answerAdmin(method: string, url: string, views: AdminViews, actions: AdminActions): Answer {
  const { pathname, searchParams } = new URL(url, 'http://admin')
  if (pathname === '/help') return text(help())
  if (pathname === '/') return { status: 200, contentType: 'text/html; charset=UTF-8', body: homePage(PAGES, views) }
  const page = PAGES.find(({ path }) => path === pathname)
  if (page === undefined) return text(`invalid path. admin commands are:\n${help()}`, 404)
  if (page.mutates && method !== 'POST') return text(`Method ${method} not allowed, POST required.`, 405)
  if (!page.mutates && method !== 'GET' && method !== 'HEAD') return text(`Method ${method} not allowed, GET required.`, 405)
  return page.answer(searchParams, views, actions)
}

function help(): string {
  return `${['/help: print out list of admin commands', ...PAGES.map(({ path, help, mutates }) => `${path}${mutates ? ' (POST)' : ''}: ${help}`)].map((line) => `  ${line}\n`).join('')}`
}

/** Serves what `answer` gives for a method and a URL. Rejects with the system's error when the address cannot be bound. */
export async function createAdminServer(
  address: SocketAddress,
  answer: (method: string, url: string) => Answer | Promise<Answer>,
): Promise<AdminServer> {
  const server = createServer((request, response) => void respond(request, response, answer))
  await listen(server, address)
  const bound = server.address() as AddressInfo | string
  return {
    address: typeof bound === 'string' ? { address: bound, port: 0 } : { address: bound.address, port: bound.port },
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  ask: (method: string, url: string) => Answer | Promise<Answer>,
): Promise<void> {
  request.resume()
  let answer: Answer
  try {
    answer = await ask(request.method ?? 'GET', request.url ?? '/')
  } catch (error) {
    answer = text(`${String(error)}\n`, 500)
  }
  response.writeHead(answer.status, {
    'content-type': answer.contentType,
    'cache-control': 'no-cache, max-age=0',
    'x-content-type-options': 'nosniff',
  })
  response.end(request.method === 'HEAD' ? undefined : answer.body)
}

function listen(server: Server, { address, port }: SocketAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    const done = (): void => {
      server.off('error', reject)
      resolve()
    }
    if (address.startsWith('/')) server.listen(address, done)
    else server.listen(port, address, done)
  })
}
