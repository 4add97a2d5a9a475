import { createMetricsRegistry } from '@heddle/runtime'
import type { ResourceGroup, ResourceSet } from '@heddle/xds-types'
import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type GrpcXdsServer, listenGrpc } from '../src/grpc/index.js'
import { createSnapshotCache, createXdsServer, type SnapshotCache, type XdsServer } from '../src/index.js'
import { connect, type TestClient } from './client.js'

const CDS = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'
const set = (...clusters: Cluster[]): ResourceSet => ({
  groups: [{ id: 'all', resources: new Map([[CDS, clusters]]) } satisfies ResourceGroup],
})

let cache: SnapshotCache
let server: XdsServer
let listener: GrpcXdsServer
let client: TestClient
beforeEach(async () => {
  cache = createSnapshotCache()
  server = createXdsServer({ resources: (node) => cache.watch(node.id), metrics: createMetricsRegistry() })
  listener = await listenGrpc(server, { address: '127.0.0.1:0' })
  client = connect(listener.port)
})
afterEach(async () => {
  client.close()
  await listener.close()
})

describe('ADS over gRPC', () => {
  test('Delta: subscribe, push, ACK, status, barrier', async () => {
    cache.set('n1', set({ name: 'a' }, { name: 'b' }))
    const stream = client.delta()
    stream.send({ node: { id: 'n1' }, type_url: CDS })
    const first = await stream.next()
    expect(first.resources?.map((r) => r.name)).toEqual(['a', 'b'])
    stream.send({ type_url: CDS, response_nonce: first.nonce })
    expect((await server.applied()).applied).toEqual(['n1'])
    cache.set('n1', set({ name: 'a', alt_stat_name: 'x' }))
    const second = await stream.next()
    expect(second.resources?.map((r) => r.name)).toEqual(['a'])
    expect(second.removed_resources).toEqual(['b'])
    stream.send({ type_url: CDS, response_nonce: second.nonce, error_detail: { code: 13, message: 'no' } })
    expect(await server.applied()).toEqual({
      applied: [],
      refused: [{ nodeId: 'n1', typeUrl: CDS, message: 'no' }],
      left: [],
      waiting: [],
    })
  })
  test('SotW: full state each time', async () => {
    const stream = client.sotw()
    stream.send({ node: { id: 'n1' }, type_url: CDS })
    cache.set('n1', set({ name: 'a' }, { name: 'b' }))
    const first = await stream.next()
    expect(first.resources).toHaveLength(2)
    stream.send({ type_url: CDS, response_nonce: first.nonce, version_info: first.version_info })
    cache.set('n1', set({ name: 'a' }))
    expect((await stream.next()).resources).toHaveLength(1)
  })
})
