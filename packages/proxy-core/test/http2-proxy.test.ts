import { createHash, randomBytes } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { call, cluster, endpoint, routeTable, startProxy, startUpstream, type TestProxy, upstreamHttp } from './harness.js'
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
