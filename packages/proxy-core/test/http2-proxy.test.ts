import { createHash, randomBytes } from 'node:crypto'
import { type AddressInfo, connect, createServer as createNetServer } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { DEFAULT_HTTP2_OPTIONS } from '../src/http/h2/options.js'
import type { RetryPolicy } from '../src/route/table.js'
import {
  call,
  cluster,
  endpoint,
  httpManager,
  routeTable,
  startProxy,
  startUpstream,
  type TestProxy,
  upstreamHttp,
} from './harness.js'
import { http2Call, http2Client, startHttp2Upstream } from './http2-harness.js'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})
function opened<T extends { close(): Promise<void> }>(one: T): T {
  open.push(one)
  return one
}

function client(port: number): ReturnType<typeof http2Client> {
  const session = http2Client(port)
  opened({ close: async () => session.destroy() })
  return session
}

const toHttp2 = (port: number, overrides = {}) =>
  cluster('u', [endpoint(port)], { http: upstreamHttp({ protocol: 'HTTP2', ...overrides }) })

const proxyTo = async (port: number, overrides = {}): Promise<TestProxy> =>
  opened(await startProxy({ table: routeTable('u'), clusters: [toHttp2(port, overrides)] }))

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

describe('either to either', () => {
  test('HTTP/2 to HTTP/1.1', async () => {
    const upstream = opened(await startUpstream((request, response) => response.end(`${request.method} ${request.url}`)))
    const proxy = opened(await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(upstream.port)])] }))
    const session = client(proxy.port)
    const answer = await http2Call(session, {
      headers: { ':method': 'POST', ':path': '/x?y=1', 'x-own': 'mine', cookie: ['a=1', 'b=2'] },
      body: 'hi',
    })
    expect(answer.status).toBe(200)
    expect(answer.body.toString()).toBe('POST /x?y=1')
    expect(upstream.requests[0]?.headers).toMatchObject({ 'x-own': 'mine', cookie: 'a=1; b=2', 'transfer-encoding': 'chunked' })
    expect(upstream.requests[0]?.headers.host).toBe(`127.0.0.1:${proxy.port}`)
    expect(proxy.log[0]?.info).toMatchObject({ protocol: 'HTTP/2', status: 200, bytesReceived: 2, upstreamProtocol: 'HTTP/1.1' })
  })

  test('HTTP/1.1 to HTTP/2, and HTTP/2 to HTTP/2 on the same upstream connection', async () => {
    const upstream = opened(
      await startHttp2Upstream((stream, headers) => {
        stream.respond({ ':status': 200, 'x-seen': String(headers[':path']) })
        stream.pipe(stream)
      }),
    )
    const proxy = await proxyTo(upstream.port)
    const first = await call(proxy.port, { method: 'POST', path: '/one', body: 'body of one' })
    expect([first.status, first.body.toString(), first.headers['x-seen']]).toEqual([200, 'body of one', '/one'])
    expect(upstream.requests[0]).toMatchObject({ 'content-length': '11', ':authority': `127.0.0.1:${proxy.port}` })
    const session = client(proxy.port)
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        http2Call(session, { headers: { ':method': 'POST', ':path': `/${i}` }, body: `b${i}` }),
      ),
    )
    expect(answers.map(({ body }) => body.toString())).toEqual(Array.from({ length: 50 }, (_, i) => `b${i}`))
    expect(upstream.sessions).toBe(1)
  })

  test('trailers pass both ways, behind the body', async () => {
    const upstream = opened(
      await startHttp2Upstream((stream) => {
        let seen: object = {}
        stream.on('trailers', (fields) => {
          seen = fields
        })
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-seen': JSON.stringify(seen) }))
        stream.resume()
        stream.on('end', () => {
          stream.respond({ ':status': 200 }, { waitForTrailers: true })
          stream.end('x'.repeat(100_000))
        })
      }),
    )
    const proxy = await proxyTo(upstream.port)
    const answer = await http2Call(client(proxy.port), {
      headers: { ':method': 'POST' },
      body: 'abc',
      trailers: { 'x-end': 'yes' },
    })
    expect(answer.body.length).toBe(100_000)
    expect(answer.trailers).toMatchObject({ 'grpc-status': '0' })
    expect(JSON.parse(String(answer.trailers?.['x-seen']))).toEqual({ 'x-end': 'yes' })
  })
})

describe('bodies', () => {
  test.each(['HTTP1', 'HTTP2'] as const)('twelve megabytes come back byte for byte by %s', async (protocol) => {
    const upstream =
      protocol === 'HTTP2'
        ? opened(
            await startHttp2Upstream((stream) => {
              stream.respond({ ':status': 200 })
              stream.pipe(stream)
            }),
          )
        : opened(await startUpstream((request, response) => request.pipe(response)))
    const proxy = await proxyTo(upstream.port, { protocol })
    const body = randomBytes(12_000_000)
    const session = client(proxy.port)
    const [one, two] = await Promise.all([
      http2Call(session, { headers: { ':method': 'POST' }, body }),
      http2Call(session, { headers: { ':method': 'POST' }, body }),
    ])
    expect(sha(one.body)).toBe(sha(body))
    expect(sha(two.body)).toBe(sha(body))
    if (protocol === 'HTTP2') {
      const third = await call(proxy.port, { method: 'POST', body })
      expect(sha(third.body)).toBe(sha(body))
    }
  })
})

describe('pools', () => {
  const slow = (ms: number): Parameters<typeof startHttp2Upstream>[0] => {
    return (stream) => {
      setTimeout(() => {
        if (stream.destroyed) return
        stream.respond({ ':status': 200 })
        stream.end('x')
      }, ms)
    }
  }

  test('another connection is opened when the upstream allows no more streams on the first', async () => {
    const held: (() => void)[] = []
    const upstream = opened(
      await startHttp2Upstream(
        (stream) => {
          held.push(() => {
            stream.respond({ ':status': 200 })
            stream.end('x')
          })
          // None is free for another before all have come.
          if (held.length === 35) for (const answer of held) answer()
        },
        { maxConcurrentStreams: 10 },
      ),
    )
    const proxy = await proxyTo(upstream.port, { http2: { ...DEFAULT_HTTP2_OPTIONS, maxConcurrentStreams: 10 } })
    const session = client(proxy.port)
    const answers = await Promise.all(Array.from({ length: 35 }, () => http2Call(session)))
    expect(answers.every(({ status }) => status === 200)).toBe(true)
    expect(upstream.sessions).toBe(4)
  })

  test('max_requests_per_connection', async () => {
    const upstream = opened(await startHttp2Upstream(slow(1)))
    const proxy = await proxyTo(upstream.port, { maxRequestsPerConnection: 2 })
    const session = client(proxy.port)
    for (let i = 0; i < 6; i++) expect((await http2Call(session)).status).toBe(200)
    expect(upstream.sessions).toBe(3)
  })

  test('after GOAWAY what is under way is answered, and what follows goes elsewhere', async () => {
    const upstream = opened(
      await startHttp2Upstream((stream) => {
        stream.session?.goaway(0, 2 ** 31 - 1)
        setTimeout(() => {
          stream.respond({ ':status': 200 })
          stream.end('x')
        }, 20)
      }),
    )
    const proxy = await proxyTo(upstream.port)
    const session = client(proxy.port)
    expect((await http2Call(session)).status).toBe(200)
    expect((await http2Call(session)).status).toBe(200)
    expect(upstream.sessions).toBe(2)
  })

  test('a refused stream is tried again where the policy says so', async () => {
    let first = true
    const upstream = opened(
      await startHttp2Upstream((stream) => {
        if (first) stream.close(7)
        else {
          stream.respond({ ':status': 200 })
          stream.end('x')
        }
        first = false
      }),
    )
    const retry: RetryPolicy = {
      ...{ on: new Set(['refused-stream']), statusCodes: new Set(), numRetries: 1, perTryTimeoutMs: 0 },
      ...{ backoffBaseMs: 1, backoffMaxMs: 2, avoidPreviousHosts: false, hostSelectionAttempts: 1 },
    }
    const proxy = opened(await startProxy({ table: routeTable('u', { retry }), clusters: [toHttp2(upstream.port)] }))
    expect((await http2Call(client(proxy.port))).status).toBe(200)
    expect(proxy.log[0]?.info.attempts).toBe(2)
  })

  test('GOAWAY, then no streams at all: what was not heard is refused, what follows goes elsewhere (CVE-2021-32780)', async () => {
    const upstream = opened(await startHttp2Upstream(slow(1)))
    let connections = 0
    const server = createNetServer((socket) => {
      socket.on('error', () => {})
      if (connections++ > 0) {
        const onward = connect(upstream.port, '127.0.0.1')
        onward.on('error', () => {})
        socket.on('close', () => onward.destroy())
        socket.pipe(onward).pipe(socket)
        return
      }
      socket.resume()
      // GOAWAY with last stream 0, then MAX_CONCURRENT_STREAMS of 0.
      socket.write(
        Buffer.from(
          '000000040000000000 00000807000000000000000000 00000000 00000604000000000000 0300000000'.replaceAll(' ', ''),
          'hex',
        ),
      )
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    opened({ close: () => new Promise((resolve) => server.close(() => resolve())) })
    const proxy = await proxyTo((server.address() as AddressInfo).port)
    const session = client(proxy.port)
    expect((await http2Call(session)).status).toBe(503)
    expect(proxy.log[0]?.info.details).toContain('remote_refused_stream_reset')
    expect((await http2Call(session)).status).toBe(200)
  })
})

describe('draining', () => {
  test('the client hears GOAWAY, what is under way is answered, and the connection closes', async () => {
    const upstream = opened(
      await startUpstream((_, response) => {
        setTimeout(() => response.end('late'), 50)
      }),
    )
    const proxy = opened(
      await startProxy({
        table: routeTable('u'),
        clusters: [cluster('u', [endpoint(upstream.port)])],
        manager: { timeouts: { ...httpManager().timeouts, drain: 10, delayedClose: 100 } },
      }),
    )
    const session = client(proxy.port)
    const goaway = new Promise<number>((resolve) => session.once('goaway', resolve))
    const closed = new Promise((resolve) => session.once('close', resolve))
    const answer = http2Call(session)
    await expect.poll(() => upstream.requests.length).toBe(1)
    proxy.manager.drain()
    expect(await goaway).toBe(0)
    expect((await answer).body.toString()).toBe('late')
    await closed
    await expect.poll(() => proxy.manager.connections).toBe(0)
  })

  test('PINGs that nobody answers end an upstream connection', async () => {
    let heard = Buffer.alloc(0)
    const server = createNetServer((socket) => {
      socket.on('error', () => {})
      socket.write(Buffer.from('000000040000000000', 'hex'))
      socket.on('data', (bytes) => {
        heard = Buffer.concat([heard, bytes])
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    opened({ close: () => new Promise((resolve) => server.close(() => resolve())) })
    const keepalive = { intervalMs: 20, timeoutMs: 30, connectionIdleIntervalMs: 0 }
    const proxy = await proxyTo((server.address() as AddressInfo).port, { http2: { ...DEFAULT_HTTP2_OPTIONS, keepalive } })
    expect((await http2Call(client(proxy.port))).status).toBe(503)
    expect([...(proxy.log[0]?.info.flags ?? [])]).toEqual(['UC'])
    // The head of a PING.
    expect(heard.includes(Buffer.from('000008060000000000', 'hex'))).toBe(true)
  })
})
