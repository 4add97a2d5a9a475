import { once } from 'node:events'
import { Agent } from 'node:http'
import { type AddressInfo, connect, createServer } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { call, cluster, endpoint, routeTable, startProxy, startUpstream, type TestProxy, upstreamHttp } from './harness.js'
import { http2Call, http2Client, startHttp2Upstream } from './http2-harness.js'
import { startTcpProxy } from './tcp-harness.js'

/** What a request leaves behind. A slope over many requests, so that caches that fill once do not count. */

const soak = process.env['HEDDLE_SOAK'] !== undefined
const REQUESTS = soak ? 60_000 : 12_000
const SAMPLES = 6
// Fewer requests, more noise: the short form sees what keeps an object of each request.
const MOST_BYTES_A_REQUEST = soak ? 16 : 200
const AT_ONCE = 20

const collect = (): void => {
  setFlagsFromString('--expose_gc')
  const gc = runInNewContext('gc') as () => void
  gc()
  gc()
}

/** Least squares of heap over requests, in bytes a request. */
function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const [mx, my] = [0, 1].map((i) => points.reduce((sum, point) => sum + point[i as 0 | 1], 0) / points.length) as [
    number,
    number,
  ]
  const over = points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0)
  return over / points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0)
}

describe(`${REQUESTS} requests leave nothing behind`, () => {
  const closing: (() => Promise<void> | void)[] = []
  let http1: TestProxy
  let http2: TestProxy
  /** What the upstreams of tests keep. */
  const kept: { length: number }[] = []
  beforeAll(async () => {
    const one = await startUpstream((request, response) => request.resume().on('end', () => response.end('x')))
    const two = await startHttp2Upstream((stream) => {
      stream.resume()
      stream.respond({ ':status': 200 })
      stream.end('x')
    })
    kept.push(one.requests, two.requests)
    const silent = { accessLogs: [] }
    http1 = await startProxy({ table: routeTable('u'), manager: silent, clusters: [cluster('u', [endpoint(one.port)])] })
    const http = upstreamHttp({ protocol: 'HTTP2' })
    http2 = await startProxy({
      table: routeTable('u'),
      manager: silent,
      clusters: [cluster('u', [endpoint(two.port)], { http })],
    })
    closing.push(
      () => http1.close(),
      () => http2.close(),
      () => one.close(),
      () => two.close(),
    )
  })
  afterAll(async () => {
    for (const close of closing) await close()
  })

  async function measure(request: () => Promise<unknown>, count: number = REQUESTS): Promise<number> {
    const points: [number, number][] = []
    const share = count / (SAMPLES + 2)
    for (let sample = 0; sample < SAMPLES + 2; sample++) {
      for (let i = 0; i < share; i += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, request))
      for (const list of kept) list.length = 0
      collect()
      // The first two fill caches and let the engine compile.
      if (sample >= 2) points.push([sample * share, process.memoryUsage().heapUsed])
    }
    return slope(points)
  }

  test('HTTP/1.1', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
    expect(await measure(() => call(http1.port, { agent, method: 'POST', body: 'x' }))).toBeLessThan(MOST_BYTES_A_REQUEST)
    agent.destroy()
    await expect.poll(() => [http1.manager.active, http1.manager.connections]).toEqual([0, 0])
  }, 300_000)

  test('HTTP/2', async () => {
    const session = http2Client(http2.port)
    const headers = { ':method': 'POST' }
    expect(await measure(() => http2Call(session, { headers, body: 'x' }))).toBeLessThan(MOST_BYTES_A_REQUEST)
    session.destroy()
    await expect.poll(() => [http2.manager.active, http2.manager.connections]).toEqual([0, 0])
  }, 300_000)

  test('TCP: a connection for each byte there and back', async () => {
    const upstream = createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1')
    await once(upstream, 'listening')
    // Nobody keeps what is logged.
    const proxy = await startTcpProxy((upstream.address() as AddressInfo).port, { accessLogs: [] })
    const exchange = (): Promise<void> =>
      new Promise((resolve, reject) => {
        const socket = connect(proxy.port, '127.0.0.1', () => socket.write('x'))
        socket.on('data', () => socket.end())
        socket.on('error', reject)
        socket.on('close', () => resolve())
      })
    // A connection costs more time than a request, and one that is kept is larger.
    expect(await measure(exchange, soak ? REQUESTS : 3200)).toBeLessThan(soak ? MOST_BYTES_A_REQUEST : 800)
    await expect.poll(() => proxy.connections).toBe(0)
    upstream.close()
    await proxy.close()
  }, 300_000)
})
