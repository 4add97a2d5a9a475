import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { SocketAddress } from '../net/connection.js'
import { certs } from './certs-page.js'
import { clusters } from './clusters-page.js'
import { configDump } from './config-dump.js'
import { homePage } from './home-page.js'
import { initDump } from './init-dump.js'
import { listeners } from './listeners-page.js'
import { logging } from './logging-page.js'
import { type AdminActions, type AdminViews, type Answer, type Page, text } from './page.js'
import { clearLookups, disableLookups, enableLookups, recentLookups } from './recent-lookups.js'
import { runtime, runtimeModify } from './runtime-pages.js'
import {
  drainListeners,
  healthcheckFail,
  healthcheckOk,
  hotRestartVersion,
  memory,
  quit,
  ready,
  reopenLogs,
  resetCounters,
  serverInfo,
} from './server-pages.js'
import { stats, statsPrometheus } from './stats-page.js'
import { allocProfiler, contention, cpuProfiler, heapDump, heapProfiler, peakHeapDump } from './unavailable-pages.js'

const PAGES: readonly Page[] = [
  allocProfiler,
  certs,
  clusters,
  configDump,
  contention,
  cpuProfiler,
  drainListeners,
  healthcheckFail,
  healthcheckOk,
  heapDump,
  heapProfiler,
  hotRestartVersion,
  initDump,
  listeners,
  logging,
  memory,
  peakHeapDump,
  quit,
  ready,
  reopenLogs,
  resetCounters,
  runtime,
  runtimeModify,
  serverInfo,
  stats,
  statsPrometheus,
  recentLookups,
  clearLookups,
  disableLookups,
  enableLookups,
]

export interface AdminServer {
  readonly address: SocketAddress
  close(): Promise<void>
}

/** Answers a request to the admin interface; pure but for the actions. */
export function answerAdmin(method: string, url: string, views: AdminViews, actions: AdminActions): Answer {
  const [target = '', query = ''] = split(url, '?')
  // As Envoy merges them.
  const pathname = target.replace(/\/{2,}/g, '/')
  if (pathname === '/help') return text(help())
  if (pathname === '/') return { status: 200, contentType: 'text/html; charset=UTF-8', body: homePage(PAGES, views) }
  const page = PAGES.find(({ path }) => path === pathname)
  if (page === undefined) return text(`invalid path. ${help()}`, 404)
  if (page.mutates && method !== 'POST') return text(`Method ${method} not allowed, POST required.`, 405)
  return page.answer(new URLSearchParams(query), views, actions)
}

function split(whole: string, at: string): [before: string, after: string] {
  const found = whole.indexOf(at)
  return found < 0 ? [whole, ''] : [whole.slice(0, found), whole.slice(found + 1)]
}

const OTHERS = [
  { path: '/', help: 'Admin home page' },
  { path: '/help', help: 'print out list of admin commands' },
]

function help(): string {
  const all: readonly Omit<Page, 'answer'>[] = [...PAGES, ...OTHERS]
  const lines = [...all]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .flatMap(({ path, help, mutates, parameters = {} }) => [
      `  ${path}${mutates === true ? ' (POST)' : ''}: ${help}`,
      ...Object.entries(parameters).map(([name, does]) => `      ${name}: ${does}`),
    ])
  return `admin commands are:\n${lines.join('\n')}\n`
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
  let answer: Answer
  try {
    const url = request.url ?? '/'
    const form = await formOf(request)
    answer = await ask(request.method ?? 'GET', form === '' ? url : `${url}${url.includes('?') ? '&' : '?'}${form}`)
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

const MAX_FORM_CHARACTERS = 64 * 1024

/** Parameters of a POST that come as the values of a form; any other body is not looked at. */
async function formOf(request: IncomingMessage): Promise<string> {
  if (!request.headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
    request.resume()
    return ''
  }
  let form = ''
  for await (const chunk of request.setEncoding('latin1')) {
    form += String(chunk)
    if (form.length > MAX_FORM_CHARACTERS) throw new Error('the form is larger than 64 KiB')
  }
  return form
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
