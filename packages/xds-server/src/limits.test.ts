import { createFakeClock, type FakeClock } from '@heddle/runtime/testing'
import { decodeDeltaResponse } from '@heddle/xds-types/discovery'
import { DeltaDiscoveryRequest } from '@heddle/xds-types/envoy/service/discovery/v3'
import { expect, test } from 'vitest'
import type { Limits } from './limits.js'
import { createSnapshotCache } from './snapshot-cache.js'
import { type CloseStatus, STATUS } from './transport.js'
import { createXdsServer } from './xds-server.js'

const CDS = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'
const EDS = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment'

function start(limits: Partial<Limits>) {
  const clock: FakeClock = createFakeClock()
  const cache = createSnapshotCache()
  const server = createXdsServer({ resources: (node) => cache.watch(node.id), clock, limits })
  const refused: string[] = []
  server.subscribe((event) => event.kind === 'refused' && refused.push(event.message))
  const open = (nodeId = 'n') => {
    const closed: CloseStatus[] = []
    const nonces: string[] = []
    const stream = {
      closed,
      nonces,
      fast: true,
      request: (message: Parameters<typeof DeltaDiscoveryRequest.encode>[0]) =>
        handler.onMessage(DeltaDiscoveryRequest.encode(message)),
      drain: () => handler.onDrain(),
    }
    const handler = server.accept({
      variant: 'delta',
      identity: { id: 'spiffe://t/ns/n/sa/s' },
      transport: {
        peer: 'test',
        write(parts) {
          const bytes = Buffer.concat(parts)
          const decoded = decodeDeltaResponse(bytes)
          if (decoded.ok) nonces.push(decoded.value.nonce)
          return stream.fast
        },
        close: (status) => void closed.push(status),
      },
    })
    if (closed.length === 0) stream.request({ node: { id: nodeId }, type_url: CDS })
    return stream
  }
  const set = (name: string): void => cache.set('n', { groups: [{ id: 'g', resources: new Map([[CDS, [{ name }]]]) }] })
  return { clock, open, set, server, refused }
}

test('a stream above the limit is refused with its reason, the others stay, and a place that is left is free again', () => {
  const { open, server, refused } = start({ streams: 1 })
  const first = open()
  const second = open()
  expect(first.closed).toEqual([])
  expect(second.closed).toMatchObject([{ code: STATUS.resourceExhausted }])
  expect(refused).toEqual([expect.stringContaining('all the 1 streams')])
  expect([...server.status()]).toHaveLength(1)
  server.close()
})

test('names are counted over all types of a stream', () => {
  const { open } = start({ namesPerStream: 3 })
  const stream = open()
  stream.request({ type_url: CDS, resource_names_subscribe: ['a', 'b'] })
  stream.request({ type_url: EDS, resource_names_subscribe: ['a'] })
  expect(stream.closed).toEqual([])
  stream.request({ type_url: EDS, resource_names_subscribe: ['b'] })
  expect(stream.closed).toMatchObject([{ code: STATUS.resourceExhausted, message: expect.stringContaining('4 names; 3') }])
})

test('who answers nothing is cut; an answer, to whatever it is, is a sign of life (line 78)', () => {
  const { clock, open, set } = start({ stuckAfterMs: 60_000 })
  set('a')
  const [silent, alive] = [open(), open()]
  clock.advance(59_000)
  alive.request({ type_url: CDS, response_nonce: alive.nonces.at(-1) })
  set('b')
  clock.advance(1_000)
  expect(silent.closed).toMatchObject([{ code: STATUS.deadlineExceeded }])
  expect(alive.closed).toEqual([])
  alive.request({ type_url: CDS, response_nonce: alive.nonces.at(-1) })
  clock.advance(3_600_000)
  expect(alive.closed).toEqual([])
})

test('who reads nothing is cut, who reads slowly is not', () => {
  const { clock, open, set } = start({ stuckAfterMs: 60_000 })
  set('a')
  const stream = open()
  stream.fast = false
  stream.request({ type_url: CDS, response_nonce: stream.nonces.at(-1) })
  set('b')
  clock.advance(30_000)
  stream.drain()
  clock.advance(59_000)
  expect(stream.closed).toEqual([])
  clock.advance(1_000)
  expect(stream.closed).toMatchObject([{ code: STATUS.deadlineExceeded }])
})
