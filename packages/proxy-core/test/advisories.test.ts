import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
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
  type TestUpstream,
  upstreamHttp,
} from './harness.js'
import { http2Call, http2Client } from './http2-harness.js'
import { END_HEADERS, END_STREAM, frame, GET, headers, rawClient, settings, TYPE, u32 } from './http2-raw.js'

// Advisories of other proxies, HTTP libraries and runtimes that have no other test of that name: what they did, we do not.

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

async function proxyTo(port: number, options: Parameters<typeof cluster>[2] = {}): Promise<TestProxy> {
  const own = await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(port)], options)] })
  later.push(() => own.close())
  return own
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
      const own = await startProxy({
        table: { ...routeTable('u'), requestHeaders: add, responseHeaders: add },
        clusters: [cluster('u', [endpoint(upstream.port)])],
      })
      later.push(() => own.close())
      const before = upstream.requests.length
      const answer = await sendRaw(own.port, 'GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n')
      expect(answer.match(/HTTP\/1\.1 /g)?.length).toBe(1)
      expect(answer).not.toMatch(/\n(x-injected|GET)/)
      expect(upstream.requests.length - before).toBe(1)
      expect(upstream.requests.at(-1)?.headers['x-injected']).toBeUndefined()
    },
  )

  test("bytes on an idle pooled connection end it: they are nobody else's answer (CVE-2026-48931)", async () => {
    let served = 0
    const port = await rawUpstream((socket) => {
      served++
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n${served}`)
      if (served === 1) setTimeout(() => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\npoisoned'), 20)
    })
    const own = await proxyTo(port)
    expect((await call(own.port)).body.toString()).toBe('1')
    await new Promise((resolve) => setTimeout(resolve, 60))
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

  test('a malformed block, and then the socket is gone: nothing is thrown past the proxy (CVE-2025-59465)', async () => {
    const thrown: unknown[] = []
    const note = (error: unknown): void => void thrown.push(error)
    process.on('uncaughtException', note)
    for (let i = 0; i < 20; i++) {
      const client = await rawClient(proxy.port)
      client.send(frame(TYPE.headers, END_STREAM | END_HEADERS, 1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff])))
      client.socket.resetAndDestroy()
    }
    expect((await call(proxy.port)).status).toBe(200)
    process.off('uncaughtException', note)
    expect(thrown).toEqual([])
  })

  test('a window that overflows on stream 0 frees its connection (CVE-2026-21714)', async () => {
    for (let i = 0; i < 50; i++) {
      const client = await rawClient(proxy.port)
      client.send(frame(TYPE.windowUpdate, 0, 0, u32(2 ** 31 - 1)), frame(TYPE.windowUpdate, 0, 0, u32(2 ** 31 - 1)))
      await client.next(() => false)
      expect(client.closed).toBe(true)
    }
    await expect.poll(() => proxy.manager.connections).toBeLessThanOrEqual(5)
  })

  test('an upstream that resets and goes away at once leaves no stream behind (CVE-2023-35945)', async () => {
    const port = await rawUpstream((socket, bytes) => {
      for (let at = bytes.indexOf('PRI') === 0 ? 24 : 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
        if (at === 24) socket.write(settings())
        if (bytes[at + 3] !== TYPE.headers) continue
        const streamId = bytes.readUInt32BE(at + 5)
        socket.write(Buffer.concat([frame(TYPE.rstStream, 0, streamId, u32(8)), frame(TYPE.goaway, 0, 0, u32(streamId, 0))]))
        socket.end()
      }
    })
    const own = await proxyTo(port, { http: upstreamHttp({ protocol: 'HTTP2' }) })
    const session = http2Client(own.port)
    for (let round = 0; round < 100; round++) expect((await http2Call(session)).status).toBe(503)
    session.destroy()
    expect(own.clusters.get('u')?.stats.codec.streamsActive.value).toBe(0)
    await expect.poll(() => own.manager.active).toBe(0)
  })
})

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
