import { createFakeClock } from '@heddle/runtime/testing'
import type { VersionedResource } from '@heddle/xds-types'
import { decodeDeltaResponse, decodeSotwResponse } from '@heddle/xds-types/discovery'
import { DeltaDiscoveryRequest, DiscoveryRequest } from '@heddle/xds-types/envoy/service/discovery/v3'
import { describe, expect, test } from 'vitest'
import { createSnapshotCache } from './snapshot-cache.js'
import { createXdsServer } from './xds-server.js'

const EDS = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment'
const BOTH = ['xds.config.supports-resource-ttl', 'xds.config.resource-in-sotw']
const resource = (name: string, ttl?: number): VersionedResource => ({
  name,
  version: '1',
  bytes: new TextEncoder().encode(name),
  ...(ttl === undefined ? {} : { ttl }),
})

function delta(features: string[], resources: VersionedResource[]) {
  const clock = createFakeClock()
  const cache = createSnapshotCache()
  const set = (list: VersionedResource[]): void => cache.set('n', { groups: [{ id: 'g', resources: new Map([[EDS, list]]) }] })
  set(resources)
  const server = createXdsServer({ resources: (node) => cache.watch(node.id), clock })
  const seen: string[] = []
  let nonce = ''
  const handler = server.accept({
    variant: 'delta',
    transport: {
      peer: 'test',
      write(parts) {
        const bytes = Buffer.concat(parts)
        const decoded = decodeDeltaResponse(bytes)
        if (!decoded.ok) throw new Error('not a delta response')
        seen.push(decoded.value.resources.map((r) => `${r.value === undefined ? '~' : ''}${r.name}@${r.ttl ?? 'ever'}`).join(' '))
        nonce = decoded.value.nonce
        return true
      },
      close: () => {},
    },
  })
  const names = { resource_names_subscribe: ['a', 'b'] }
  handler.onMessage(DeltaDiscoveryRequest.encode({ node: { id: 'n', client_features: features }, type_url: EDS, ...names }))
  const ack = (): void => handler.onMessage(DeltaDiscoveryRequest.encode({ type_url: EDS, response_nonce: nonce }))
  return { clock, seen, ack, set, end: () => handler.onEnd() }
}

describe('resources with a TTL (line 61)', () => {
  test('are told three times within it that they still are what they are, and no other is', () => {
    const { clock, seen, ack, end } = delta(BOTH, [resource('a', 30), resource('b')])
    ack()
    for (let i = 0; i < 3; i++) {
      clock.advance(10_000)
      ack()
    }
    expect(seen).toEqual(['a@30 b@ever', '~a@30', '~a@30', '~a@30'])
    end()
    clock.advance(60_000)
    expect(seen).toHaveLength(4)
  })
  test('wait with their news while the client owes an answer', () => {
    const { clock, seen, ack } = delta(BOTH, [resource('a', 30)])
    clock.advance(9_000)
    clock.advance(1_000)
    ack()
    clock.advance(10_000)
    expect(seen).toEqual(['a@30', '~a@30'])
  })
  test('a TTL that is taken away is taken away by sending the resource again', () => {
    const { clock, seen, ack, set } = delta(BOTH, [resource('a', 30)])
    ack()
    set([{ ...resource('a'), version: '2' }])
    clock.advance(0)
    ack()
    clock.advance(30_000)
    expect(seen).toEqual(['a@30', 'a@ever'])
  })
  test('have none for a client that does not know what that is', () => {
    const { clock, seen, ack } = delta([], [resource('a', 30)])
    ack()
    clock.advance(60_000)
    expect(seen).toEqual(['a@ever'])
  })
})

test.each([
  [BOTH, ['a', '']],
  [[BOTH[0] as string], ['a']],
])('SotW wraps a resource only for who takes it out again: %j (line 60)', (features, bodies) => {
  const clock = createFakeClock()
  const cache = createSnapshotCache()
  cache.set('n', { groups: [{ id: 'g', resources: new Map([[EDS, [resource('a', 30)]]]) }] })
  const server = createXdsServer({ resources: (node) => cache.watch(node.id), clock })
  const seen: string[] = []
  let nonce = ''
  const handler = server.accept({
    variant: 'sotw',
    transport: {
      peer: 'test',
      write(parts) {
        const bytes = Buffer.concat(parts)
        const decoded = decodeSotwResponse(bytes)
        if (!decoded.ok) throw new Error('not a SotW response')
        seen.push(...decoded.value.resources.map((body) => new TextDecoder().decode(body)))
        nonce = decoded.value.nonce
        return true
      },
      close: () => {},
    },
  })
  handler.onMessage(
    DiscoveryRequest.encode({ node: { id: 'n', client_features: features }, type_url: EDS, resource_names: ['a'] }),
  )
  handler.onMessage(DiscoveryRequest.encode({ type_url: EDS, resource_names: ['a'], response_nonce: nonce }))
  clock.advance(10_000)
  expect(seen).toEqual(bodies)
})
