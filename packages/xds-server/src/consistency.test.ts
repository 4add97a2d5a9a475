import { createFakeClock } from '@heddle/runtime/testing'
import type { ResourceSet } from '@heddle/xds-types'
import { decodeDeltaResponse } from '@heddle/xds-types/discovery'
import { DeltaDiscoveryRequest } from '@heddle/xds-types/envoy/service/discovery/v3'
import { describe, expect, test } from 'vitest'
import type { Consistency } from './consistency.js'
import { createSnapshotCache } from './snapshot-cache.js'
import { createXdsServer } from './xds-server.js'

const CDS = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'
const EDS = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment'
const eds = (name: string): object => ({ name, type: 'EDS', eds_cluster_config: { eds_config: { ads: {} } } })
const set = (clusters: object[], endpoints: string[]): ResourceSet => ({
  groups: [
    {
      id: 'g',
      resources: new Map([
        [CDS, clusters],
        [EDS, endpoints.map((cluster_name) => ({ cluster_name }))],
      ]),
    },
  ],
})

function serve(consistency: Consistency, ...sets: ResourceSet[]) {
  const clock = createFakeClock()
  const cache = createSnapshotCache()
  const server = createXdsServer({ resources: (node) => cache.watch(node.id), clock, consistency })
  const sent: string[][] = []
  const told: string[] = []
  server.subscribe((event) => event.kind === 'inconsistent' && told.push(...event.diagnostics.map(({ message }) => message)))
  const handler = server.accept({
    variant: 'delta',
    transport: {
      peer: 'test',
      write(parts) {
        const bytes = Buffer.concat(parts)
        const decoded = decodeDeltaResponse(bytes)
        if (!decoded.ok) throw new Error('not a delta response')
        sent.push(decoded.value.resources.map(({ name }) => name))
        handler.onMessage(DeltaDiscoveryRequest.encode({ type_url: CDS, response_nonce: decoded.value.nonce }))
        return true
      },
      close: () => {},
    },
  })
  handler.onMessage(DeltaDiscoveryRequest.encode({ node: { id: 'n' }, type_url: CDS }))
  for (const each of sets) {
    cache.set('n', each)
    clock.advance(0)
  }
  return { sent, told }
}

describe('consistency (line 68)', () => {
  const [whole, torn] = [set([eds('a')], ['a']), set([eds('a'), eds('b')], ['a', 'c'])]
  const reasons = [
    'Cluster b refers to ClusterLoadAssignment b, which is not in the set',
    'nothing refers to ClusterLoadAssignment c',
  ]

  test('strict: the client keeps what it has until a whole set comes', () => {
    expect(serve('strict', whole, torn, set([eds('a'), eds('b')], ['a', 'b']))).toEqual({ sent: [['a'], ['b']], told: reasons })
  })
  test('warn: it is sent, and told', () => {
    expect(serve('warn', torn)).toEqual({ sent: [['a', 'b']], told: reasons })
  })
  test('off: nobody looks', () => {
    expect(serve('off', torn)).toEqual({ sent: [['a', 'b']], told: [] })
  })
  test('a cluster without EDS wants no endpoints', () => {
    expect(serve('strict', set([{ name: 'dns', type: 'STRICT_DNS' }], []))).toEqual({ sent: [['dns']], told: [] })
  })
})
