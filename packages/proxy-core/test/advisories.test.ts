import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { HttpFilter } from '../src/http/filter.js'
import { DEFAULT_HTTP2_OPTIONS } from '../src/http/h2/options.js'
import type { LocalReply } from '../src/http/message.js'
import { compileJsonFormat, compileTextFormat } from '../src/observe/log-format.js'
import { createHeaderMutation } from '../src/route/header-mutation.js'
import { MessageReader } from '../src/upstream/grpc-messages.js'
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
  upstreamHttp,
} from './harness.js'
import { http2Call, http2Client } from './http2-harness.js'
import { END_HEADERS, END_STREAM, frame, GET, headers, rawClient, settings, TYPE, u32 } from './http2-raw.js'

// Advisories of other proxies, HTTP libraries and runtimes that have no other test of that name: what they did, we do not.

const soak = process.env['HEDDLE_SOAK'] === '1'

let upstream: TestUpstream
let proxy: TestProxy
beforeAll(async () => {
  upstream = await startUpstream((request, response) => {
    request.resume()
    response.end(JSON.stringify(request.rawHeaders))
  })
  proxy = await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(upstream.port)])] })
})
afterAll(async () => {
  await proxy.close()
  await upstream.close()
})

const later: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const close of later.splice(0).reverse()) await close()
})

async function rawUpstream(serve: (socket: Socket, bytes: Buffer) => void): Promise<number> {
  const server: Server = createTcpServer((socket) => socket.on('error', () => {}).on('data', (bytes) => serve(socket, bytes)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  later.push(() => new Promise((resolve) => server.close(resolve)))
  return (server.address() as AddressInfo).port
}

async function upstreamOf(answer: Parameters<typeof startUpstream>[0]): Promise<TestUpstream> {
  const own = await startUpstream(answer)
  later.push(() => own.close())
  return own
}

async function proxyTo(port: number, options: Partial<TestProxyOptions> = {}): Promise<TestProxy> {
  const own = await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(port)])], ...options })
  later.push(() => own.close())
  return own
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

describe('HTTP/1', () => {
  test.each(['\xa0chunked', 'chunked\xa0', 'xchunked', ',chunked', 'chunked, identity', '\x0bchunked'])(
    'BadTransferEncoding: %j is refused and the connection closes',
    async (coding) => {
      const bytes = Buffer.from(`POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: ${coding}\r\n\r\n0\r\n\r\n`, 'latin1')
      expect(await sendRaw(proxy.port, bytes)).toMatch(/^HTTP\/1\.1 (400|501) /)
    },
  )

  test.each([['\r\n\r\nGET /smuggled HTTP/1.1'], ['x\r\nx-injected: 1'], ['a\nb']])(
    'what filters and configuration make is checked when it is written: %j (CVE-2026-1527, CVE-2023-27493)',
    async (value) => {
      const add = createHeaderMutation(
        [{ name: 'x-made', value: () => value, action: 'OVERWRITE_IF_EXISTS_OR_ADD', keepEmpty: true }],
        [],
      )
      const own = await proxyTo(upstream.port, { table: { ...routeTable('u'), requestHeaders: add, responseHeaders: add } })
      const before = upstream.requests.length
      const answer = await sendRaw(own.port, 'GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n')
      expect(answer.match(/HTTP\/1\.1 /g)?.length).toBe(1)
      expect(answer).not.toMatch(/\n(x-injected|GET)/)
      expect(upstream.requests.length - before).toBe(1)
      expect(upstream.requests.at(-1)?.headers['x-injected']).toBeUndefined()
    },
  )

  test("bytes on an idle pooled connection end it: they are nobody else's answer (CVE-2026-48931)", async () => {
    const sockets: Socket[] = []
    const port = await rawUpstream((socket) => {
      sockets.push(socket)
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n${sockets.length}`)
    })
    const own = await proxyTo(port)
    expect((await call(own.port)).body.toString()).toBe('1')
    const ended = new Promise((resolve) => sockets[0]?.once('close', resolve))
    sockets[0]?.write('HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\npoisoned')
    await ended
    expect((await call(own.port)).body.toString()).toBe('2')
  })

  test('names that look like array indices are names, and cost what names cost (CVE-2026-21717)', async () => {
    const lines = Array.from({ length: 90 }, (_, i) => `${i * 2 ** 20}: v\r\n`).join('')
    const answer = await sendRaw(proxy.port, `GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n${lines}\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    expect(answer).toContain(`"${89 * 2 ** 20}","v"`)
  })

  test('pipelined bad requests get one answer and a close (CVE-2020-8661)', async () => {
    const answer = await sendRaw(proxy.port, 'BAD / HTTP/1.1\r\nhost: h\r\n\r\n'.repeat(10_000))
    expect(answer.match(/HTTP\/1\.1 /g)?.length).toBe(1)
    expect(answer).toMatch(/^HTTP\/1\.1 400 .*connection: close/s)
  })
})

describe('access logs', () => {
  const entry = { info: { sni: 'a"b\nc', flags: new Set() } as never }

  test('a server name with quotes and lines does not break the line of a JSON log (CVE-2024-45808)', () => {
    const format = compileJsonFormat({ sni: '%REQUESTED_SERVER_NAME%' }, 'f', { omitEmptyValues: false })
    const line = format.ok ? format.value(entry) : ''
    expect(line).toBe('{"sni":"a\\"b\\nc"}\n')
  })

  test('a text format of it is one that was asked for', () => {
    expect(compileTextFormat('%REQUESTED_SERVER_NAME%', 'f', { omitEmptyValues: false }).ok).toBe(true)
  })
})

describe('HTTP/2', () => {
  test(':scheme in mixed case is one scheme for everybody, or none (CVE-2023-35944)', async () => {
    const client = await rawClient(proxy.port)
    client.send(
      headers(
        1,
        GET.map(([name, value]) => (name === ':scheme' ? ([name, 'hTTp'] as const) : ([name, value] as const))),
      ),
    )
    const told = await client.next(({ type, streamId }) => streamId === 1 && (type === TYPE.headers || type === TYPE.rstStream))
    client.close()
    expect(told).toBeDefined()
    const forwarded = upstream.requests.at(-1)?.headers['x-forwarded-proto']
    expect(forwarded === undefined || forwarded === 'http').toBe(true)
  })

  test.each<[string, readonly (readonly [string, string])[]]>([
    ['a line feed in a value', [...GET, ['x-a', 'b\nx-injected: 1']]],
    ['a NUL in a value', [...GET, ['x-a', 'b\0c']]],
    ['a name in upper case', [...GET, ['X-Injected', '1']]],
    ['a name with a colon', [...GET, ['x-injected: 1', '2']]],
    ['a method with spaces', GET.map(([name, value]) => [name, name === ':method' ? 'GET /x HTTP/1.1' : value] as const)],
    ['a path with spaces', GET.map(([name, value]) => [name, name === ':path' ? '/ HTTP/1.1' : value] as const)],
  ])('CVE-2023-27491: %s does not reach an upstream of HTTP/1', async (_, fields) => {
    const before = upstream.requests.length
    const client = await rawClient(proxy.port)
    client.send(headers(1, fields))
    const told = await client.next(({ type, streamId }) => streamId === 1 && (type === TYPE.headers || type === TYPE.rstStream))
    expect(told?.type === TYPE.rstStream || client.closed).toBe(true)
    client.close()
    expect((await call(proxy.port)).status).toBe(200)
    expect(upstream.requests.length - before).toBe(1)
  })

  test('a malformed block, and then the socket is gone: nothing is thrown past the proxy (CVE-2025-59465)', async () => {
    const thrown = await thrownIn(async () => {
      for (let i = 0; i < 20; i++) {
        const client = await rawClient(proxy.port)
        client.send(frame(TYPE.headers, END_STREAM | END_HEADERS, 1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff])))
        client.socket.resetAndDestroy()
      }
      expect((await call(proxy.port)).status).toBe(200)
    })
    expect(thrown).toEqual([])
  })

  test('a window that overflows on stream 0 frees its connection (CVE-2026-21714)', { timeout: 120_000 }, async () => {
    for (let i = 0; i < (soak ? 5_000 : 50); i++) {
      const client = await rawClient(proxy.port)
      client.send(frame(TYPE.windowUpdate, 0, 0, u32(2 ** 31 - 1)), frame(TYPE.windowUpdate, 0, 0, u32(2 ** 31 - 1)))
      await client.next(() => false)
      expect(client.closed).toBe(true)
    }
    await expect.poll(() => proxy.manager.connections).toBeLessThanOrEqual(5)
  })

  test('an upstream that resets and goes away at once leaves no stream behind (CVE-2023-35945)', {
    timeout: 300_000,
  }, async () => {
    const port = await rawUpstream((socket, bytes) => {
      for (let at = bytes.indexOf('PRI') === 0 ? 24 : 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
        if (at === 24) socket.write(settings())
        if (bytes[at + 3] !== TYPE.headers) continue
        const streamId = bytes.readUInt32BE(at + 5)
        socket.write(Buffer.concat([frame(TYPE.rstStream, 0, streamId, u32(8)), frame(TYPE.goaway, 0, 0, u32(streamId, 0))]))
        socket.end()
      }
    })
    const overHttp2 = cluster('u', [endpoint(port)], { http: upstreamHttp({ protocol: 'HTTP2' }) })
    const own = await proxyTo(port, { clusters: [overHttp2] })
    const session = http2Client(own.port)
    for (let round = 0; round < (soak ? 10_000 : 100); round++) expect((await http2Call(session)).status).toBe(503)
    session.destroy()
    await expect.poll(() => own.clusters.get('u')?.stats.codec.streamsActive.value).toBe(0)
    await expect.poll(() => own.manager.active).toBe(0)
  })

  test('CVE-2024-53270: what is overloaded has nothing to say to streams that are reset already', async () => {
    const none = { maxConnections: 0, maxPendingRequests: 0, maxRequests: 0, maxRetries: 0 }
    const proxy = await proxyTo(1, { clusters: [cluster('u', [endpoint(1)], { circuitBreakers: none })] })
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
      const proxy = await proxyTo(1, { manager: { http2, filters } })
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
})

describe('what a request meets on its way', () => {
  test('CVE-2019-18801: large headers of HTTP/2 come out whole over HTTP/1', async () => {
    let head = ''
    const port = await rawUpstream((socket, bytes) => {
      head += bytes.toString('latin1')
      if (head.includes('\r\n\r\n')) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
    })
    const proxy = await proxyTo(port)
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
      const proxy = await proxyTo(upstream.port, { manager: { normalizePath: false } })
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
    const proxy = await proxyTo(upstream.port, { table: routeTable('u', { internalRedirect: redirects }) })
    for (let round = 0; round < 3; round++) {
      const answer = await call(proxy.port, {
        method: 'POST',
        path: '/form',
        headers: { ...framing, host: 'own' },
        body: 'a=b&c',
      })
      const text = answer.body.toString()
      expect(answer.status, text).toBe(200)
      expect(text).toMatch(/^GET \/next /)
      expect(text).not.toMatch(/content-length|transfer-encoding/)
    }
    expect(upstream.requests).toHaveLength(6)
    await expect.poll(() => proxy.manager.active).toBe(0)
  })
})

test.each(['HTTP/1.1', 'HTTP/2'])(
  'CVE-2026-47205, CVE-2026-48090: %s: what a filter waited for comes when the client is gone, and nothing is written after the end',
  async (protocol) => {
    const waiting: ((reply: LocalReply) => void)[] = []
    const filter: HttpFilter = { onRequest: () => new Promise<LocalReply>((resolve) => waiting.push(resolve)) }
    const proxy = await proxyTo(upstream.port, { manager: { filters: [{ name: 'asks', create: () => () => filter }] } })
    const thrown = await thrownIn(async () => {
      const client = await rawClient(proxy.port, protocol === 'HTTP/2')
      client.send(protocol === 'HTTP/2' ? headers(1, GET) : Buffer.from('GET / HTTP/1.1\r\nhost: h\r\n\r\n'))
      await expect.poll(() => waiting.length).toBe(1)
      if (protocol === 'HTTP/2') client.send(frame(TYPE.rstStream, 0, 1, u32(8)))
      else client.socket.resetAndDestroy()
      await expect.poll(() => proxy.manager.active).toBe(0)
      waiting[0]?.({ status: 302, body: 'late', details: 'late', headers: [['location', '/']] })
      await new Promise((resolve) => setImmediate(resolve))
      if (protocol === 'HTTP/2') {
        client.send(frame(TYPE.ping, 0, 0, Buffer.alloc(8)))
        expect(await client.next(({ type, streamId }) => type === TYPE.ping || streamId === 1)).toMatchObject({ type: TYPE.ping })
      }
      client.close()
    })
    expect(thrown).toEqual([])
    expect(proxy.log.map(({ info }) => info.status)).toEqual([0])
  },
)

describe('gRPC', () => {
  test('a message over the limit is refused by its prefix, before its bytes are kept (CVE-2024-37168)', () => {
    const reader = new MessageReader(1000, () => {})
    expect(reader.push(Buffer.from([0, 0, 0, 0x03, 0xe9]))).toContain('larger than 1000')
  })

  test('a compressed message that nobody agreed on is a problem, never an exception (CVE-2026-48069)', () => {
    const reader = new MessageReader(1000, () => {})
    expect(reader.push(Buffer.from([1, 0, 0, 0, 3, 0xff, 0xff, 0xff]))).toContain('compressed')
  })

  test('a stream that begins malformed does not end the process (CVE-2026-48068)', async () => {
    const client = await rawClient(proxy.port)
    client.send(headers(1, [[':method', 'POST'], ...GET.slice(1), ['content-type', 'application/grpc'], ['grpc-timeout', 'x']]))
    client.send(frame(TYPE.data, END_STREAM, 1, Buffer.from([9, 9, 9])))
    await client.next(({ streamId }) => streamId === 1)
    client.close()
    expect((await call(proxy.port)).status).toBe(200)
  })
})
