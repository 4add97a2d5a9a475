import { createHash, randomBytes } from 'node:crypto'
import { Agent } from 'node:http'
import { type AddressInfo, createServer as createNetServer } from 'node:net'
import { createFakeClock } from '@heddle/runtime/testing'
import { afterEach, describe, expect, test } from 'vitest'
import type { RetryPolicy } from '../src/route/table.js'
import { call, cluster, endpoint, routeTable, sendRaw, startProxy, startUpstream, type TestProxy } from './harness.js'

/** Timeouts fire up to so much late. */
const TICK_MS = 5

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})
function opened<T extends { close(): Promise<void> }>(one: T): T {
  open.push(one)
  return one
}

/** An upstream that sends `answer` as it stands to whoever connects, once a request head has come. */
async function rawUpstream(answer: string | Buffer, then: 'end' | 'destroy' | 'stay' = 'stay'): Promise<number> {
  const server = createNetServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      if (!chunk.includes('\r\n\r\n')) return
      socket.write(answer, () => {
        if (then === 'end') socket.end()
        if (then === 'destroy') socket.destroy()
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  opened({ close: async () => void server.close() })
  return (server.address() as AddressInfo).port
}

const lastLog = async (
  proxy: TestProxy,
  count = 1,
): Promise<{ status: number; details: string; flags: string[]; attempts: number }> => {
  await expect.poll(() => proxy.log.length).toBe(count)
  const { status, details, flags, attempts } = proxy.log[count - 1]!.info
  return { status, details, flags: [...flags], attempts }
}

const retry = (overrides: Partial<RetryPolicy> = {}): RetryPolicy => ({
  on: new Set(['5xx']),
  statusCodes: new Set(),
  numRetries: 2,
  perTryTimeoutMs: 0,
  backoffBaseMs: 1,
  backoffMaxMs: 2,
  avoidPreviousHosts: false,
  hostSelectionAttempts: 1,
  ...overrides,
})

describe('messages', () => {
  test('a request goes through and its answer comes back', async () => {
    const upstream = opened(
      await startUpstream((request, response) => {
        response.setHeader('x-seen', request.url ?? '')
        response.end('hello')
      }),
    )
    const proxy = opened(await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(upstream.port)])] }))
    const answer = await call(proxy.port, { path: '/a/../b?q=1', headers: { 'x-own': 'mine' } })
    expect(answer.status).toBe(200)
    expect(answer.body.toString()).toBe('hello')
    expect(answer.headers['x-seen']).toBe('/b?q=1')
    expect(answer.headers['server']).toBe('heddle')
    expect(answer.headers['x-envoy-upstream-service-time']).toMatch(/^\d+$/)
    expect(upstream.requests[0]?.headers).toMatchObject({ 'x-own': 'mine', 'x-forwarded-proto': 'http' })
    expect(upstream.requests[0]?.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(await lastLog(proxy)).toEqual({ status: 200, details: 'via_upstream', flags: [], attempts: 1 })
    expect(proxy.log[0]?.info).toMatchObject({ bytesSent: 5, cluster: 'u' })
  })

  test.each([
    ['known', false],
    ['chunked', true],
  ])('twelve megabytes of %s length come back byte for byte', async (_, chunked) => {
    const upstream = opened(
      await startUpstream((request, response) => {
        if (!chunked && request.headers['content-length'] !== undefined)
          response.setHeader('content-length', request.headers['content-length'])
        request.pipe(response)
      }),
    )
    const proxy = opened(await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(upstream.port)])] }))
    const body = randomBytes(12_000_000)
    const answer = await call(proxy.port, { method: 'POST', body, headers: chunked ? { 'transfer-encoding': 'chunked' } : {} })
    expect(answer.status).toBe(200)
    expect(createHash('sha256').update(answer.body).digest('hex')).toBe(createHash('sha256').update(body).digest('hex'))
    await lastLog(proxy)
    expect(proxy.log[0]?.info).toMatchObject({ bytesReceived: body.length, bytesSent: body.length })
  })

  test('pipelined requests are answered in order on one connection', async () => {
    const upstream = opened(
      await startUpstream((request, response) =>
        setTimeout(() => response.end(`<${request.url}>`), request.url === '/1' ? 30 : 0),
      ),
    )
    const proxy = opened(await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(upstream.port)])] }))
    const post = 'POST /2 HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhello'
    const text = `GET /1 HTTP/1.1\r\nhost: h\r\n\r\n${post}GET /3 HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n`
    const received = await sendRaw(proxy.port, text)
    expect(received.match(/<\/\d>/g)).toEqual(['</1>', '</2>', '</3>'])
    expect(received.match(/connection: close/g)).toHaveLength(1)
  })

  test('connections are reused on both sides', async () => {
    let connections = 0
    const upstream = opened(await startUpstream((_, response) => response.end('x')))
    upstream.server.on('connection', () => connections++)
    const proxy = opened(await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(upstream.port)])] }))
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (let i = 0; i < 5; i++) expect((await call(proxy.port, { agent })).status).toBe(200)
    agent.destroy()
    expect(connections).toBe(1)
    expect(proxy.clusters.get('u')?.stats.upstreamRqTotal.value).toBe(5)
  })

  test('HEAD, 204 and 304 have no body, and the connection lives on', async () => {
    const upstream = opened(
      await startUpstream((request, response) => {
        if (request.url === '/204') response.writeHead(204).end()
        else if (request.url === '/304') response.writeHead(304, { etag: '"x"', 'content-length': '7' }).end()
        else response.writeHead(200, { 'content-length': '5' }).end(request.method === 'HEAD' ? undefined : 'hello')
      }),
    )
    const proxy = opened(await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(upstream.port)])] }))
    const heads = ['HEAD / HTTP/1.1', 'GET /204 HTTP/1.1', 'GET /304 HTTP/1.1', 'GET /last HTTP/1.1']
    const received = await sendRaw(proxy.port, heads.map((line) => `${line}\r\nhost: h\r\n\r\n`).join(''), 'hello')
    expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 204', 'HTTP/1.1 304', 'HTTP/1.1 200'])
    const [head, none, unchanged] = received.split('\r\n\r\n')
    expect(head).toContain('content-length: 5')
    expect(none).not.toMatch(/content-length|transfer-encoding/)
    expect(unchanged).toContain('content-length: 7')
    expect(proxy.clusters.get('u')?.stats.upstreamCxTotal.value).toBe(1)
  })

  test('expect: 100-continue is answered by the proxy and not passed on', async () => {
    const upstream = opened(await startUpstream((request, response) => void request.pipe(response)))
    const proxy = opened(await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(upstream.port)])] }))
    const received = await sendRaw(
      proxy.port,
      'POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\nok',
      '\r\nok',
    )
    expect(received.startsWith('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK')).toBe(true)
    expect(upstream.requests[0]?.headers.expect).toBeUndefined()
  })

  test('trailers and interim answers of the upstream are dropped, its chunks are not', async () => {
    const port = await rawUpstream(
      'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\n0\r\nx-trailer: t\r\n\r\n',
    )
    const proxy = opened(await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(port)])] }))
    const answer = await call(proxy.port)
    expect(answer).toMatchObject({ status: 200, body: Buffer.from('abc') })
    expect(answer.headers['link']).toBeUndefined()
  })

  test('an upstream without length ends its body by closing', async () => {
    const port = await rawUpstream('HTTP/1.1 200 OK\r\n\r\nto the end', 'end')
    const proxy = opened(await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(port)])] }))
    const answer = await call(proxy.port)
    expect(answer.body.toString()).toBe('to the end')
    expect(answer.headers['transfer-encoding']).toBe('chunked')
  })
})

describe('refusals', () => {
  test.each([
    ['an unknown version', 'GET / HTTP/1.0\r\nhost: h\r\n\r\n', 426, 'low_version'],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', 400, 'missing_host_header'],
    ['an upgrade', 'GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n', 403, 'upgrade_failed'],
    ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n', 403, 'upgrade_failed'],
    ['a fragment', 'GET /a#b HTTP/1.1\r\nhost: h\r\n\r\n', 400, 'path_normalization_failed'],
    [
      'length and chunks',
      'POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n',
      400,
      'http1.content_length_and_chunked_not_allowed',
    ],
    ['too much head', `GET / HTTP/1.1\r\nhost: h\r\nx: ${'x'.repeat(70_000)}\r\n\r\n`, 431, 'http1.headers_too_large'],
    ['too many headers', `GET / HTTP/1.1\r\nhost: h\r\n${'x: y\r\n'.repeat(101)}\r\n`, 431, 'http1.too_many_headers'],
    ['broken chunks', 'POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n', 400, 'http1.codec_error'],
  ])('%s', async (_, text, status, details) => {
    const upstream = opened(
      await startUpstream((request, response) =>
        request
          .resume()
          .on('end', () => response.end('never'))
          .on('error', () => {}),
      ),
    )
    const proxy = opened(await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(upstream.port)])] }))
    const received = await sendRaw(
      proxy.port,
      text,
      details === 'upgrade_failed' || details === 'missing_host_header' || details.startsWith('path') ? '\r\n\r\n' : undefined,
    )
    expect(received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(received.match(/HTTP\/1\.1/g)).toHaveLength(1)
    expect((await lastLog(proxy)).details).toBe(details)
  })

  test('no route is 404 NR, no cluster 503 NC, no endpoint 503 UH', async () => {
    const lost = { ...routeTable('u'), resolve: () => ({ kind: 'none' }) as const }
    const nobody = opened(await startProxy({ table: lost, clusters: [] }))
    expect((await call(nobody.port)).status).toBe(404)
    expect(await lastLog(nobody)).toMatchObject({ flags: ['NR'], details: 'route_not_found' })
    const unknown = opened(await startProxy({ table: routeTable('missing'), clusters: [] }))
    expect((await call(unknown.port)).status).toBe(503)
    expect(await lastLog(unknown)).toMatchObject({ flags: ['NC'], details: 'cluster_not_found' })
    const empty = opened(await startProxy({ table: routeTable('u'), clusters: [cluster('u', [])] }))
    const answer = await call(empty.port)
    expect([answer.status, answer.body.toString()]).toEqual([503, 'no healthy upstream'])
    expect(await lastLog(empty)).toMatchObject({ flags: ['UH'] })
  })

  test('a direct answer to an unread body closes, so that the body is never taken for a request', async () => {
    const proxy = opened(await startProxy({ table: routeTable('missing'), clusters: [] }))
    const body = 'GET /smuggled HTTP/1.1\r\nhost: h\r\n\r\n'
    const received = await sendRaw(proxy.port, `POST / HTTP/1.1\r\nhost: h\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    expect(received.match(/HTTP\/1\.1/g)).toHaveLength(1)
    expect(received).toContain('connection: close')
  })
})

describe('upstreams that fail', () => {
  test('nobody listens: 503 UF', async () => {
    const proxy = opened(await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(1)])] }))
    const answer = await call(proxy.port)
    expect(answer.status).toBe(503)
    expect(answer.body.toString()).toContain('remote connection failure')
    expect(await lastLog(proxy)).toMatchObject({ flags: ['UF'] })
  })

  test('a connection closed before the answer is 503 UC, bytes that are no HTTP are 502 UPE', async () => {
    const gone = opened(
      await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(await rawUpstream('', 'destroy'))])] }),
    )
    expect((await call(gone.port)).status).toBe(503)
    expect(await lastLog(gone)).toMatchObject({
      flags: ['UC'],
      details: 'upstream_reset_before_response_started{connection_termination}',
    })
    const odd = opened(
      await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(await rawUpstream('220 smtp ready\r\n'))])] }),
    )
    expect((await call(odd.port)).status).toBe(502)
    expect(await lastLog(odd)).toMatchObject({ flags: ['UPE'] })
  })

  test.each([
    ['a length', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf'],
    ['chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n64\r\nhalf'],
  ])('killed in the middle of a body with %s: the client notices, the log says UPE', async (_, answer) => {
    const proxy = opened(
      await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(await rawUpstream(answer, 'destroy'))])] }),
    )
    await expect(call(proxy.port)).rejects.toThrow()
    expect(await lastLog(proxy)).toMatchObject({
      status: 200,
      flags: ['UPE'],
      details: 'upstream_reset_after_response_started{protocol_error}',
    })
  })

  test('bytes on an idle connection destroy it: no answer is ever taken for another request', async () => {
    const poisoned = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison'
    const port = await rawUpstream(poisoned)
    const proxy = opened(await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(port)])] }))
    for (let i = 0; i < 3; i++) expect((await call(proxy.port)).body.toString()).toBe('ok')
    expect(proxy.clusters.get('u')?.stats.upstreamCxTotal.value).toBe(3)
  })

  test('a client that goes away takes its upstream request with it', async () => {
    let closed = 0
    const upstream = opened(await startUpstream((request) => void request.on('close', () => closed++)))
    const proxy = opened(await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(upstream.port)])] }))
    const controller = sendRaw(proxy.port, 'GET / HTTP/1.1\r\nhost: h\r\n\r\n')
    await expect.poll(() => upstream.requests.length).toBe(1)
    proxy.manager.destroy()
    await controller
    await expect.poll(() => closed).toBe(1)
    expect(await lastLog(proxy)).toMatchObject({ status: 0, flags: ['DC'] })
    expect(proxy.clusters.get('u')?.resources).toMatchObject({ requests: 0, connections: 0 })
  })
})

describe('retries and timeouts', () => {
  test('503 twice, then 200: the client sees 200 and attempt count 3', async () => {
    let asked = 0
    const upstream = opened(
      await startUpstream((request, response) => {
        const status = ++asked < 3 ? 503 : 200
        request
          .resume()
          .on('end', () => response.writeHead(status, { 'x-got': request.headers['x-envoy-attempt-count'] ?? '' }).end('body'))
      }),
    )
    const table = routeTable('u', { retry: retry() }, { includeAttemptCountInRequest: true, includeAttemptCountInResponse: true })
    const proxy = opened(await startProxy({ table, clusters: [cluster('u', [endpoint(upstream.port)])] }))
    const answer = await call(proxy.port, { method: 'POST', body: 'again and again' })
    expect(answer.status).toBe(200)
    expect(answer.headers['x-envoy-attempt-count']).toBe('3')
    expect(answer.headers['x-got']).toBe('3')
    expect(await lastLog(proxy)).toEqual({ status: 200, details: 'via_upstream', flags: [], attempts: 3 })
    expect(proxy.clusters.get('u')?.stats).toMatchObject({ upstreamRqRetry: { value: 2 }, upstreamRqRetrySuccess: { value: 1 } })
    expect(proxy.clusters.get('u')?.resources.retries).toBe(0)
  })

  test('when retries run out the last answer goes through with URX', async () => {
    const upstream = opened(await startUpstream((_, response) => response.writeHead(503).end('still')))
    const proxy = opened(
      await startProxy({ table: routeTable('u', { retry: retry() }), clusters: [cluster('u', [endpoint(upstream.port)])] }),
    )
    const answer = await call(proxy.port)
    expect([answer.status, answer.body.toString(), upstream.requests.length]).toEqual([503, 'still', 3])
    expect(await lastLog(proxy)).toMatchObject({ flags: ['URX'], attempts: 3 })
  })

  test('a body larger than the replay buffer is sent once', async () => {
    const upstream = opened(
      await startUpstream((request, response) => request.resume().on('end', () => response.writeHead(503).end())),
    )
    const table = routeTable('u', { retry: retry() })
    const proxy = opened(await startProxy({ table, clusters: [cluster('u', [endpoint(upstream.port)])], retryBufferBytes: 1000 }))
    expect((await call(proxy.port, { method: 'POST', body: Buffer.alloc(200_000) })).status).toBe(503)
    expect(upstream.requests).toHaveLength(1)
  })

  test('connect-failure goes to another endpoint that has not been tried', async () => {
    const upstream = opened(await startUpstream((_, response) => response.end('found')))
    const table = routeTable('u', { retry: retry({ on: new Set(['connect-failure']), avoidPreviousHosts: true }) })
    const proxy = opened(await startProxy({ table, clusters: [cluster('u', [endpoint(1), endpoint(upstream.port)])] }))
    expect((await call(proxy.port)).body.toString()).toBe('found')
    expect((await lastLog(proxy)).attempts).toBe(2)
  })

  test('the route timeout is 504 UT', async () => {
    const clock = createFakeClock()
    const upstream = opened(await startUpstream(() => {}))
    const proxy = opened(
      await startProxy({ clock, table: routeTable('u', { timeoutMs: 60 }), clusters: [cluster('u', [endpoint(upstream.port)])] }),
    )
    const answering = call(proxy.port)
    await expect.poll(() => upstream.requests.length).toBe(1)
    clock.advance(59)
    expect(proxy.log).toEqual([])
    clock.advance(1 + TICK_MS)
    const answer = await answering
    expect([answer.status, answer.body.toString()]).toEqual([504, 'upstream request timeout'])
    expect(await lastLog(proxy)).toMatchObject({ flags: ['UT'], details: 'response_timeout' })
    expect(upstream.requests[0]?.headers['x-envoy-expected-rq-timeout-ms']).toBe('60')
  })

  test('a timeout in the middle of the answer resets the client', async () => {
    const clock = createFakeClock()
    const upstream = opened(
      await startUpstream((_, response) => void response.writeHead(200, { 'content-length': '10' }).write('half')),
    )
    const proxy = opened(
      await startProxy({ clock, table: routeTable('u', { timeoutMs: 60 }), clusters: [cluster('u', [endpoint(upstream.port)])] }),
    )
    await expect(call(proxy.port, { onHead: () => clock.advance(60 + TICK_MS) })).rejects.toThrow()
    expect(await lastLog(proxy)).toMatchObject({ status: 200, flags: ['UT'] })
  })

  test('a try that takes too long is given up and tried again', async () => {
    let asked = 0
    const clock = createFakeClock()
    const upstream = opened(
      await startUpstream((_, response) => {
        if (++asked > 1) response.end('second')
      }),
    )
    const table = routeTable('u', { retry: retry({ perTryTimeoutMs: 50 }) })
    const proxy = opened(await startProxy({ clock, table, clusters: [cluster('u', [endpoint(upstream.port)])] }))
    const answering = call(proxy.port)
    await expect.poll(() => asked).toBe(1)
    clock.advance(50 + TICK_MS)
    // The pause before the next try.
    clock.advance(2 + TICK_MS)
    expect((await answering).body.toString()).toBe('second')
    expect((await lastLog(proxy)).attempts).toBe(2)
  })

  test('without retries left a try that takes too long is 504 URX,UT', async () => {
    const upstream = opened(await startUpstream(() => {}))
    const table = routeTable('u', { retry: retry({ perTryTimeoutMs: 40, numRetries: 0 }) })
    const proxy = opened(await startProxy({ table, clusters: [cluster('u', [endpoint(upstream.port)])] }))
    expect((await call(proxy.port)).status).toBe(504)
    expect(await lastLog(proxy)).toMatchObject({ flags: ['URX', 'UT'], details: 'upstream_per_try_timeout' })
  })

  test('a stream that stands still is 504 SI', async () => {
    const upstream = opened(await startUpstream(() => {}))
    const proxy = opened(
      await startProxy({ table: routeTable('u', { idleTimeoutMs: 40 }), clusters: [cluster('u', [endpoint(upstream.port)])] }),
    )
    const answer = await call(proxy.port)
    expect([answer.status, answer.body.toString()]).toEqual([504, 'stream timeout'])
    expect(await lastLog(proxy)).toMatchObject({ flags: ['SI'] })
  })
})

describe('limits and copies', () => {
  test('more requests at once than max_requests are 503 UO', async () => {
    const held: (() => void)[] = []
    const upstream = opened(await startUpstream((_, response) => held.push(() => response.end('slow'))))
    const many = 2 ** 32 - 1
    const limits = { circuitBreakers: { maxConnections: many, maxPendingRequests: many, maxRequests: 1, maxRetries: many } }
    const proxy = opened(
      await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(upstream.port)], limits)] }),
    )
    const calls = [call(proxy.port), call(proxy.port)]
    const first = await Promise.race(calls)
    expect(first.status).toBe(503)
    await expect.poll(() => held.length).toBe(1)
    held[0]?.()
    const answers = await Promise.all(calls)
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 503])
    expect(answers.find((answer) => answer.status === 503)?.headers['x-envoy-overloaded']).toBe('true')
    expect(proxy.clusters.get('u')?.resources).toMatchObject({ requests: 0, pending: 0 })
  })

  test("max_connections 1: the second request waits for the first one's connection", async () => {
    const upstream = opened(await startUpstream((_, response) => void setTimeout(() => response.end('ok'), 20)))
    const many = 2 ** 32 - 1
    const limits = { circuitBreakers: { maxConnections: 1, maxPendingRequests: many, maxRequests: many, maxRetries: many } }
    const proxy = opened(
      await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(upstream.port)], limits)] }),
    )
    const answers = await Promise.all([call(proxy.port), call(proxy.port), call(proxy.port)])
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200])
    expect(proxy.clusters.get('u')?.stats.upstreamCxTotal.value).toBe(1)
  })

  test('a mirror gets a copy with body and shadow host, and its failure reaches nobody', async () => {
    const bodies: string[] = []
    const collect = (request: import('node:http').IncomingMessage, done: () => void): void => {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        bodies.push([request.headers.host, request.headers['x-envoy-internal'], request.headers['x-copy'], body].join(' '))
        done()
      })
    }
    const main = opened(await startUpstream((request, response) => collect(request, () => response.end('main'))))
    const shadow = opened(await startUpstream((request, response) => collect(request, () => response.destroy())))
    const table = routeTable('u', {
      mirrors: [
        { cluster: () => 'm', fraction: () => 1, appendShadow: true, mutate: (headers) => headers.set('x-copy', 'yes') },
        { cluster: () => 'm', fraction: () => 1, appendShadow: true, hostRewrite: 'mirror.host', mutate() {} },
        { cluster: ({ headers }) => headers.get('x-mirror'), fraction: () => 1, appendShadow: true, mutate() {} },
        { cluster: () => 'missing', fraction: () => 1, appendShadow: true, mutate() {} },
      ],
    })
    const proxy = opened(
      await startProxy({ table, clusters: [cluster('u', [endpoint(main.port)]), cluster('m', [endpoint(shadow.port)])] }),
    )
    const answer = await call(proxy.port, { method: 'POST', body: 'payload', headers: { host: 'app:80' } })
    expect(answer.body.toString()).toBe('main')
    await expect
      .poll(() => [...bodies].sort())
      .toEqual(['app-shadow:80 true yes payload', 'app:80   payload', 'mirror.host true  payload'])
  })

  test('a drained manager finishes what it has and says close', async () => {
    let answer = (): void => {}
    const upstream = opened(
      await startUpstream((_, response) => {
        answer = () => response.end('last')
      }),
    )
    const proxy = opened(await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(upstream.port)])] }))
    const agent = new Agent({ keepAlive: true })
    const pending = call(proxy.port, { agent })
    await expect.poll(() => upstream.requests.length).toBe(1)
    proxy.manager.drain()
    answer()
    const last = await pending
    expect([last.body.toString(), last.headers['connection']]).toEqual(['last', 'close'])
    await expect.poll(() => proxy.manager.connections).toBe(0)
    agent.destroy()
  })
})
