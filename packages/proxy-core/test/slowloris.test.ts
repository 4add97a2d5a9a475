import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { call, cluster, endpoint, routeTable, startProxy, startUpstream, type TestProxy, type TestUpstream } from './harness.js'

// Half requests and silent connections. The long form is what an attacker would send; each takes two descriptors here.
const soak = process.env['HEDDLE_SOAK'] === '1'
const EACH = soak ? 5_000 : 500
const CUT_AFTER_MS = 400
const MOST_BYTES = 64 * 1024 * 1024

let upstream: TestUpstream
let proxy: TestProxy
beforeAll(async () => {
  upstream = await startUpstream((_, response) => response.end('served'))
  const timeouts = { idle: CUT_AFTER_MS, streamIdle: 0, request: 0, requestHeaders: CUT_AFTER_MS, drain: 0, delayedClose: 100 }
  proxy = await startProxy({
    table: routeTable('u'),
    clusters: [cluster('u', [endpoint(upstream.port)])],
    manager: { timeouts: { ...timeouts, maxConnectionDuration: 0, maxStreamDuration: 0 } },
  })
})
afterAll(async () => {
  await proxy.close()
  await upstream.close()
})

function open(says: string): Promise<{ socket: Socket; closed: Promise<void>; heard: () => string }> {
  return new Promise((resolve, reject) => {
    let heard = ''
    const socket = connect(proxy.port, '127.0.0.1', () => {
      socket.write(says)
      resolve({ socket, closed, heard: () => heard })
    })
    const closed = new Promise<void>((done) => socket.on('close', () => done()))
    socket.on('data', (bytes) => {
      heard += bytes.toString('latin1')
    })
    socket.on('end', () => socket.end())
    socket.once('error', reject)
  })
}

test(
  `slowloris: ${EACH} half requests and ${EACH} silent connections are cut, others are served throughout`,
  async () => {
    const before = process.memoryUsage().rss
    const connections = await Promise.all(
      Array.from({ length: 2 * EACH }, (_, i) => open(i % 2 === 0 ? 'GET / HTTP/1.1\r\nhost: h\r\nx-slow: ' : '')),
    )
    // More of the head, a byte at a time, earns no more time.
    const drip = setInterval(() => {
      for (const [i, { socket }] of connections.entries()) if (i % 2 === 0 && socket.writable) socket.write('a')
    }, 100)
    const served = Promise.all(Array.from({ length: 20 }, () => call(proxy.port).then(({ status }) => status)))
    expect(await served).toEqual(Array(20).fill(200))
    await Promise.all(connections.map(({ closed }) => closed))
    clearInterval(drip)
    // A byte that arrives after the close can take the answer from its sender.
    const untold = connections.filter(({ heard }, i) => i % 2 === 0 && !heard().startsWith('HTTP/1.1 408 '))
    expect(untold.length).toBeLessThan(EACH / 20)
    expect(connections.filter(({ heard }, i) => i % 2 === 1 && heard() !== '').length).toBe(0)
    await expect.poll(() => proxy.manager.connections).toBeLessThanOrEqual(20)
    expect(process.memoryUsage().rss - before).toBeLessThan(MOST_BYTES * (EACH / 500))
    expect((await call(proxy.port)).status).toBe(200)
  },
  soak ? 300_000 : 60_000,
)
