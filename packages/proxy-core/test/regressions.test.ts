import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import type { HttpFilter } from '../src/http/filter.js'
import { DEFAULT_HTTP2_OPTIONS } from '../src/http/h2/options.js'
import {
  call,
  cluster,
  endpoint,
  routeTable,
  sendRaw,
  startProxy,
  startUpstream,
  type TestProxy,
  type TestProxyOptions,
  type TestUpstream,
} from './harness.js'
import { http2Call, http2Client } from './http2-harness.js'
import { END_HEADERS, END_STREAM, frame, GET, headers, rawClient, TYPE, u32 } from './http2-raw.js'

// Advisories on what a request meets on its way: redirects, resets, the other protocol version.

const later: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const close of later.splice(0).reverse()) await close()
})

async function upstreamOf(answer: Parameters<typeof startUpstream>[0]): Promise<TestUpstream> {
  const upstream = await startUpstream(answer)
  later.push(() => upstream.close())
  return upstream
}

async function proxyWith(port: number, options: Partial<TestProxyOptions> = {}): Promise<TestProxy> {
  const proxy = await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(port)])], ...options })
  later.push(() => proxy.close())
  return proxy
}

/** What is thrown past everybody while `run` runs. */
async function thrownIn(run: () => Promise<void>): Promise<unknown[]> {
  const thrown: unknown[] = []
  const note = (error: unknown): void => void thrown.push(error)
  process.on('uncaughtException', note)
  try {
    await run()
  } finally {
    process.off('uncaughtException', note)
  }
  return thrown
}

test('CVE-2019-18801: large headers of HTTP/2 come out whole over HTTP/1', async () => {
  let head = ''
  const server = createTcpServer((socket: Socket) =>
    socket
      .on('error', () => {})
      .on('data', (bytes) => {
        head += bytes.toString('latin1')
        if (head.includes('\r\n\r\n')) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
      }),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  later.push(() => new Promise((resolve) => server.close(resolve)))
  const proxy = await proxyWith((server.address() as AddressInfo).port)
  const session = http2Client(proxy.port)
  const values = { 'x-1': 'a'.repeat(16_383), 'x-2': 'b'.repeat(16_384), 'x-3': 'c'.repeat(20_001) }
  expect((await http2Call(session, { headers: values })).status).toBe(200)
  session.destroy()
  for (const [name, value] of Object.entries(values)) expect(head.includes(`\r\n${name}: ${value}\r\n`), name).toBe(true)
})

test.each(['//admin/x', '//admin', '///', '/\\admin/x', '/@admin/x', '//user@admin:80/x'])(
  'CVE-2026-26205: %s is a path, and no authority comes out of it',
  async (path) => {
    const upstream = await upstreamOf((_, response) => response.end())
    const proxy = await proxyWith(upstream.port, { manager: { normalizePath: false } })
    expect(await sendRaw(proxy.port, `GET ${path} HTTP/1.1\r\nhost: own\r\nconnection: close\r\n\r\n`)).toMatch(/ 200 /)
    expect(upstream.requests[0]).toMatchObject({ url: path, headers: { host: 'own' } })
    expect(proxy.log[0]?.info).toMatchObject({ authority: 'own', path })
  },
)

const redirects = {
  max: 3,
  statuses: new Set([303]),
  allowCrossScheme: false,
  safeCrossScheme: false,
  notTwice: false,
  copyHeaders: [],
}

test.each([
  ['a length', { 'content-length': '5' }],
  ['chunks', { 'transfer-encoding': 'chunked' }],
] as const)('CVE-2026-47221: a 303 makes a GET without a body of a POST with %s', async (_, framing) => {
  const upstream = await upstreamOf((request, response) => {
    request.resume()
    request.on('end', () => {
      if (request.method === 'POST') response.writeHead(303, { location: 'http://own/next' }).end('see there')
      else response.end(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`)
    })
  })
  const proxy = await proxyWith(upstream.port, { table: routeTable('u', { internalRedirect: redirects }) })
  for (let round = 0; round < 3; round++) {
    const answer = await call(proxy.port, { method: 'POST', path: '/form', headers: { ...framing, host: 'own' }, body: 'a=b&c' })
    const text = answer.body.toString()
    expect(answer.status, text).toBe(200)
    expect(text).toMatch(/^GET \/next /)
    expect(text).not.toMatch(/content-length|transfer-encoding/)
  }
  expect(upstream.requests).toHaveLength(6)
  expect(proxy.manager.active).toBe(0)
})

test('CVE-2024-53270: what is overloaded has nothing to say to streams that are reset already', async () => {
  const none = { maxConnections: 0, maxPendingRequests: 0, maxRequests: 0, maxRetries: 0 }
  const proxy = await proxyWith(1, { clusters: [cluster('u', [endpoint(1)], { circuitBreakers: none })] })
  const thrown = await thrownIn(async () => {
    const client = await rawClient(proxy.port)
    const ids = Array.from({ length: 20 }, (_, i) => 1 + 2 * i)
    client.send(...ids.flatMap((id) => [headers(id, GET, END_STREAM | END_HEADERS), frame(TYPE.rstStream, 0, id, u32(8))]))
    client.send(headers(101, GET, END_STREAM | END_HEADERS))
    expect(await client.next(({ type, streamId }) => type === TYPE.headers && streamId === 101)).toBeDefined()
    expect(client.closed).toBe(false)
    client.close()
    expect((await call(proxy.port)).status).toBe(503)
  })
  expect(thrown).toEqual([])
  await expect.poll(() => proxy.manager.active).toBe(0)
})

test('CVE-2021-32778: to reset many streams at once costs each of them the same', async () => {
  const waiting: HttpFilter = { onRequest: () => new Promise(() => {}) }
  const http2 = { ...DEFAULT_HTTP2_OPTIONS, maxConcurrentStreams: 1_000_000 }
  const filters = [{ name: 'wait', create: () => () => waiting }]
  const costOf = async (streams: number): Promise<number> => {
    const proxy = await proxyWith(1, { manager: { http2, filters } })
    const client = await rawClient(proxy.port)
    for (let at = 0; at < streams; at += 500) {
      client.send(...Array.from({ length: 500 }, (_, i) => headers(1 + 2 * (at + i), GET)))
      await expect.poll(() => proxy.manager.active, { timeout: 10_000 }).toBe(at + 500)
    }
    const before = process.cpuUsage()
    client.socket.resetAndDestroy()
    await expect.poll(() => proxy.manager.active, { timeout: 10_000, interval: 5 }).toBe(0)
    const { user } = process.cpuUsage(before)
    return user
  }
  await costOf(1000)
  const [few, many] = [await costOf(1000), await costOf(16_000)]
  // Were it by the square, it would be 256 times as much.
  expect(many / Math.max(few, 2000)).toBeLessThan(100)
})
