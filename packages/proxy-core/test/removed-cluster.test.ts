import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createMetricsRegistry, systemClock, systemRandom } from '@heddle/runtime'
import { expect, it } from 'vitest'
import { emptyBody } from '../src/http/body.js'
import { createHeaderMap } from '../src/http/header-map.js'
import type { HttpRequest } from '../src/http/message.js'
import { createSystemNetwork } from '../src/net/socket.js'
import { createTimers } from '../src/net/timers.js'
import { createClusterStats } from '../src/observe/stats.js'
import { createClusterManager } from '../src/upstream/cluster-manager.js'
import { cluster, endpoint } from './harness.js'
import { later } from './support.js'

async function setUp(answer: (socket: Socket) => void) {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket))
    socket.on('data', () => answer(socket))
  })
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve))
  const clock = systemClock
  const stats = createMetricsRegistry()
  const no = (): Promise<never> => Promise.reject(new Error('no TLS here'))
  const clusters = createClusterManager({
    ...{ clock, network: createSystemNetwork({ clock }), timers: createTimers({ clock }), random: systemRandom },
    tls: { accept: no, connect: no },
    stats: (name) => createClusterStats(stats, name),
  })
  const up = endpoint((server.address() as AddressInfo).port)
  clusters.set(cluster('up', [up]), undefined)
  later(async () => {
    clusters.close()
    for (const socket of open) socket.destroy()
    server.close()
  })
  const request: HttpRequest = {
    ...{ method: 'GET', scheme: 'http', authority: 'a', path: '/', protocol: 'HTTP/1.1' },
    headers: createHeaderMap([]),
    body: emptyBody,
  }
  const send = (onBytes: (count: number) => void = () => {}): Promise<string> =>
    new Promise((resolve) => {
      clusters
        .get('up')
        ?.pool(up, 'HTTP1')
        .send(request, {
          onConnected() {},
          onResponse: ({ body }) =>
            body.consume({
              data(chunk) {
                onBytes(chunk.length)
                return true
              },
              end: () => resolve('answered'),
              abort: () => resolve('cut'),
            }),
          onEnd() {},
          onFailure: (reason) => resolve(reason),
        })
    })
  return { open, clusters, send }
}

it('CVE-2022-23606: a cluster goes with thousands of idle connections, without a word of recursion', async () => {
  const count = 2_000
  const waiting: Socket[] = []
  const { open, clusters, send } = await setUp((socket) => {
    waiting.push(socket)
    // All at once, so that every request needs a connection of its own.
    if (waiting.length === count) for (const each of waiting) each.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
  })
  const answers = await Promise.all(Array.from({ length: count }, () => send()))
  expect(new Set(answers)).toEqual(new Set(['answered']))
  expect(open.size).toBe(count)
  clusters.remove('up')
  await expect.poll(() => open.size).toBe(0)
})

it('CVE-2025-62409: an upstream that keeps sending while its cluster goes ends its answer, and is closed', async () => {
  const rounds = 200
  let sent = 0
  const { open, clusters, send } = await setUp((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${rounds * 1_000}\r\n\r\n`)
    const more = (): void => {
      socket.write(Buffer.alloc(1_000))
      if (++sent === rounds) socket.write('and what nobody asked for')
      else systemClock.after(0, more)
    }
    more()
  })
  let received = 0
  const answer = send((bytes) => {
    received += bytes
    if (received > 10_000) clusters.remove('up')
  })
  expect(await answer).toBe('answered')
  expect(received).toBe(rounds * 1_000)
  await expect.poll(() => open.size).toBe(0)
})
