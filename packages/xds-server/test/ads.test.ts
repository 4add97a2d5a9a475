import { status as GRPC } from '@grpc/grpc-js'
import { createMetricsRegistry, renderPrometheus } from '@heddle/runtime'
import type { ResourceSet } from '@heddle/xds-types'
import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type GrpcXdsServer, listenGrpc, PER_TYPE_SERVICES } from '../src/grpc/index.js'
import { createSnapshotCache, createXdsServer, type SnapshotCache, type XdsServer } from '../src/index.js'
import { connect, type TestClient } from './client.js'

const CDS = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'
const EDS = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment'
const set = (...clusters: Cluster[]): ResourceSet => ({ groups: [{ id: 'all', resources: new Map([[CDS, clusters]]) }] })

const metrics = createMetricsRegistry()
let cache: SnapshotCache
let server: XdsServer
let listener: GrpcXdsServer
let client: TestClient

beforeEach(async () => {
  cache = createSnapshotCache()
  server = createXdsServer({ resources: (node) => cache.watch(node.id), identifier: 'test-1', metrics })
  listener = await listenGrpc(server, { address: '127.0.0.1:0' })
  client = connect(listener.port)
})
afterEach(async () => {
  client.close()
  await listener.close()
})

/** Resolves when an event of the kind comes. */
function heard(kind: string): Promise<void> {
  return new Promise((resolve) => {
    const stop = server.subscribe((event) => {
      if (event.kind !== kind) return
      stop()
      resolve()
    })
  })
}

describe('ADS over gRPC', () => {
  test('Delta: everything, then the difference, ACK, NACK, status and barrier (lines 12, 27, 54)', async () => {
    cache.set('n1', set({ name: 'a' }, { name: 'b' }))
    const stream = client.delta()
    stream.send({ node: { id: 'n1' }, type_url: CDS })
    const first = await stream.next()
    expect(first.control_plane?.identifier).toBe('test-1')
    expect(first.resources?.map((r) => [r.name, r.resource?.['@type']])).toEqual([
      ['a', CDS],
      ['b', CDS],
    ])
    stream.send({ type_url: CDS, response_nonce: first.nonce })
    expect((await server.applied()).applied).toEqual(['n1'])
    cache.set('n1', set({ name: 'a', alt_stat_name: 'x' }))
    const second = await stream.next()
    expect(second.resources?.map((r) => r.name)).toEqual(['a'])
    expect(second.removed_resources).toEqual(['b'])
    stream.send({ type_url: CDS, response_nonce: second.nonce, error_detail: { code: 13, message: 'no' } })
    expect(await server.applied()).toEqual({
      applied: [],
      refused: [{ nodeId: 'n1', typeUrl: CDS, message: 'no', resources: ['a'] }],
      left: [],
      waiting: [],
    })
    const text = renderPrometheus(metrics)
    expect(text).toContain('pilot_total_xds_rejects{type="cds"} 1')
    expect(text).toContain('pilot_xds 1')
  })

  test('SotW: the full state each time (lines 12, 13, 52)', async () => {
    const stream = client.sotw()
    stream.send({ node: { id: 'n1' }, type_url: CDS })
    cache.set('n1', set({ name: 'a' }, { name: 'b' }))
    const first = await stream.next()
    expect(first).toMatchObject({ type_url: CDS, control_plane: { identifier: 'test-1' } })
    expect(first.resources).toHaveLength(2)
    stream.send({ type_url: CDS, response_nonce: first.nonce, version_info: first.version_info })
    await server.applied()
    cache.set('n1', set({ name: 'a' }))
    const second = await stream.next()
    expect(second.resources).toHaveLength(1)
    expect(second.version_info).not.toBe(first.version_info)
  })

  test('Delta reconnects to another server with the same content: nothing is sent twice (lines 25, 43)', async () => {
    cache.set('n1', set({ name: 'a' }, { name: 'b' }))
    const stream = client.delta()
    stream.send({ node: { id: 'n1' }, type_url: CDS })
    const { resources = [] } = await stream.next()
    const other = createXdsServer({ resources: () => cache.watch('n1') })
    const otherListener = await listenGrpc(other, { address: '127.0.0.1:0' })
    const otherClient = connect(otherListener.port)
    const again = otherClient.delta()
    again.send({
      node: { id: 'n1' },
      type_url: CDS,
      initial_resource_versions: Object.fromEntries(resources.map(({ name = '', version = '' }) => [name, version])),
    })
    expect((await again.next()).resources ?? []).toEqual([])
    otherClient.close()
    await otherListener.close()
  })

  test('half-close is answered with a half-close, cancel with nothing; both let the node go (line 8)', async () => {
    const closing = client.delta()
    closing.send({ node: { id: 'n1' }, type_url: CDS })
    await heard('connected')
    closing.finish()
    expect((await closing.ended).code).toBe(GRPC.OK)
    const cancelled = client.sotw()
    cancelled.send({ node: { id: 'n2' }, type_url: CDS })
    await heard('connected')
    cancelled.cancel()
    await heard('disconnected')
    expect([...server.status()]).toEqual([])
  })

  test('shutdown ends the streams with UNAVAILABLE and frees the port (line 9)', async () => {
    const stream = client.delta()
    stream.send({ node: { id: 'n1' }, type_url: CDS })
    await heard('connected')
    await listener.close()
    expect((await stream.ended).code).toBe(GRPC.UNAVAILABLE)
  })

  test('without a node id: INVALID_ARGUMENT (line 2)', async () => {
    const stream = client.delta()
    stream.send({ type_url: CDS })
    expect(await stream.ended).toMatchObject({ code: GRPC.INVALID_ARGUMENT, details: expect.stringContaining('node') })
  })

  test('10,000 names in one request fit; 4 MiB and one byte do not (line 11)', async () => {
    cache.set('n1', { groups: [{ id: 'e', resources: new Map([[EDS, [{ cluster_name: 'x' }]]]) }] })
    const names = Array.from(
      { length: 10_000 },
      (_, i) => `outbound|8080|version-${i}|some-service-${i}.some-namespace.svc.cluster.local`,
    )
    const stream = client.sotw()
    stream.send({ node: { id: 'n1' }, type_url: EDS, resource_names: ['x', ...names] })
    expect((await stream.next()).resources).toHaveLength(1)
    const large = client.sotw()
    large.send({ node: { id: 'n1' }, type_url: EDS, resource_names: ['y'.repeat(4 * 1024 * 1024 + 1)] })
    expect((await large.ended).code).toBe(GRPC.RESOURCE_EXHAUSTED)
    expect([...server.status()].map(({ nodeId }) => nodeId)).toEqual(['n1'])
  })

  test('a client that does not read gets one response, and in the end the newest; the others are not kept waiting (line 77)', async () => {
    const large = (version: string): ResourceSet =>
      set({ name: 'c', alt_stat_name: version, metadata: { filter_metadata: { pad: { pad: 'x'.repeat(2_000_000) } } } })
    cache.set('stuck', large('1'))
    cache.set('other', set({ name: 'a' }))
    const stuck = client.delta()
    stuck.raw.pause()
    stuck.send({ node: { id: 'stuck' }, type_url: CDS })
    await heard('sent')
    for (const version of ['2', '3', '4']) cache.set('stuck', large(version))
    const other = client.delta()
    other.send({ node: { id: 'other' }, type_url: CDS })
    expect((await other.next()).resources).toHaveLength(1)
    stuck.raw.resume()
    const first = await stuck.next()
    stuck.send({ type_url: CDS, response_nonce: first.nonce })
    const newest = await stuck.next()
    expect(newest.resources?.[0]?.resource).toMatchObject({ alt_stat_name: '4' })
    expect(stuck.received).toHaveLength(2)
  })
})

describe('per-type services (lines 5, 7)', () => {
  const methods = PER_TYPE_SERVICES.flatMap(({ service, methods }) =>
    methods.map((method) => ({ path: `/${service}/${method.name}`, ...method })),
  )
  test.each(methods)('$path', async ({ path, variant, typeUrl = '' }) => {
    const stream = client[variant](path)
    const connected = heard('connected')
    // The type is implied.
    stream.send({ node: { id: 'n1' } })
    await connected
    expect([...server.status()][0]?.types.has(typeUrl)).toBe(true)
    stream.send({ type_url: typeUrl === CDS ? EDS : CDS })
    expect((await stream.ended).code).toBe(GRPC.INVALID_ARGUMENT)
  })
})
