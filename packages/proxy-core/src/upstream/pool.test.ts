import { createMetricsRegistry } from '@heddle/runtime'
import { createFakeClock, createSeededRandom } from '@heddle/runtime/testing'
import { expect, test } from 'vitest'
import { cluster, endpoint } from '../../test/harness.js'
import { emptyBody } from '../http/body.js'
import { createHeaderMap } from '../http/header-map.js'
import type { HttpRequest, HttpResponse } from '../http/message.js'
import type { Connection } from '../net/connection.js'
import { createMemoryNetwork } from '../net/memory.js'
import { createTimers } from '../net/timers.js'
import type { Tls } from '../net/tls.js'
import { createClusterStats } from '../observe/stats.js'
import { type ClusterManager, createClusterManager } from './cluster-manager.js'
import type { AttemptEvents, Pool } from './pool.js'

const END = endpoint(80)
const noTls: Tls = { accept: () => Promise.reject(new Error('none')), connect: () => Promise.reject(new Error('none')) }
const request: HttpRequest = {
  ...{ method: 'GET', scheme: 'http', authority: 'h', path: '/', protocol: 'HTTP/1.1' },
  headers: createHeaderMap(),
  body: emptyBody,
}
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

interface Scene {
  readonly clusters: ClusterManager
  /** The upstream's ends. */
  readonly served: Connection[]
  readonly pool: Pool
}

async function setUp(): Promise<Scene> {
  const [network, clock] = [createMemoryNetwork(), createFakeClock()]
  const served: Connection[] = []
  await network.listen({ address: END.address }, (connection) => {
    served.push(connection)
    connection.handle({ onData() {}, onEnd: () => connection.end(), onDrain() {}, onClose() {} })
  })
  const registry = createMetricsRegistry()
  const clusters = createClusterManager({
    ...{ network, tls: noTls, timers: createTimers({ clock }), clock, random: createSeededRandom(1) },
    stats: (name) => createClusterStats(registry, name),
  })
  clusters.set(cluster('u', [END]), undefined)
  const pool = clusters.get('u')!.pool(END, 'HTTP1')
  return { clusters, served, pool }
}

const events = (more: Partial<AttemptEvents> = {}): AttemptEvents => ({
  ...{ onConnected() {}, onResponse: ({ body }: HttpResponse) => body.discard(), onEnd() {}, onFailure() {} },
  ...more,
})

test('CVE-2022-23606: a cluster goes with 10,000 idle connections at once', async () => {
  const { clusters, served, pool } = await setUp()
  const most = 10_000
  let answered = 0
  for (let i = 0; i < most; i++) pool.send(request, events({ onEnd: () => answered++ }))
  await settle()
  for (const connection of served) connection.write(Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'))
  await settle()
  expect([served.length, answered]).toEqual([most, most])
  expect(served.filter(({ closed }) => closed)).toHaveLength(0)
  clusters.remove('u')
  await settle()
  expect(served.filter(({ closed }) => closed)).toHaveLength(most)
  expect(pool.empty).toBe(true)
})

test('CVE-2025-62409: what an upstream still sends while its pool closes reaches nobody', async () => {
  const { served, pool } = await setUp()
  const told: string[] = []
  let received = 0
  const onResponse = ({ body }: HttpResponse): void =>
    body.consume({
      data(chunk) {
        received += chunk.length
        return true
      },
      end: () => told.push('end'),
      abort: () => told.push('abort'),
    })
  pool.send(request, events({ onResponse, onEnd: () => told.push('ended'), onFailure: (reason) => told.push(reason) }))
  await settle()
  const [connection] = served
  connection!.write(Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n'))
  connection!.write(Buffer.alloc(1000))
  await settle()
  expect(received).toBe(1000)
  // On its way already when the pool closes, and after it.
  connection!.write(Buffer.alloc(1000))
  pool.destroy()
  connection!.write(Buffer.alloc(1000))
  await settle()
  connection!.write(Buffer.alloc(1000))
  await settle()
  expect(received).toBe(1000)
  expect(told).toHaveLength(2)
  expect(told).toContain('abort')
  expect(told).not.toContain('ended')
  expect([pool.empty, connection!.closed]).toEqual([true, true])
})

test('an endpoint tells how many requests wait for a connection', async () => {
  const { clusters, pool } = await setUp()
  const waiting = (): number[] => [...clusters.get('u')!.hosts].map(({ pendingRequests }) => pendingRequests)
  pool.send(request, events())
  pool.send(request, events())
  expect(waiting()).toEqual([2])
  await settle()
  expect(waiting()).toEqual([0])
})
