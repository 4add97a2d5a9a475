import { createFakeClock } from '@heddle/runtime/testing'
import { decodeDeltaResponse } from '@heddle/xds-types/discovery'
import { DeltaDiscoveryRequest } from '@heddle/xds-types/envoy/service/discovery/v3'
import { expect, test } from 'vitest'
import { createSnapshotCache } from '../snapshot-cache.js'
import { createXdsServer } from '../xds-server.js'
import { configDump } from './config-dump.js'
import { syncStatus } from './sync-status.js'

const CDS = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'
const SDS = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret'
const KEY = 'MIIEvQIBADANBg-the-private-key'

test('status and dump of a node, without its private keys (line 86)', () => {
  const clock = createFakeClock({ now: Date.parse('2026-01-01T00:00:00Z') })
  const cache = createSnapshotCache()
  const server = createXdsServer({ resources: (node) => cache.watch(node.id), clock })
  const secret = {
    name: 'default',
    tls_certificate: { certificate_chain: { inline_string: 'the chain' }, private_key: { inline_string: KEY } },
  }
  cache.set('n1', {
    groups: [
      {
        id: 'all',
        resources: new Map<string, object[]>([
          [CDS, [{ name: 'b' }, { name: 'a', connect_timeout: '1s' }]],
          [SDS, [secret]],
        ]),
      },
    ],
  })
  const nonces: string[] = []
  const write = (parts: readonly Uint8Array[]): boolean => {
    const decoded = decodeDeltaResponse(Buffer.concat(parts))
    return nonces.push(decoded.ok ? decoded.value.nonce : '') > 0
  }
  const handler = server.accept({
    variant: 'delta',
    transport: { peer: '10.0.0.1:5', write, close: () => {} },
    identity: { id: 'spiffe://t/ns/n/sa/s' },
  })
  handler.onMessage(DeltaDiscoveryRequest.encode({ node: { id: 'n1' }, type_url: CDS }))
  clock.advance(1_000)
  handler.onMessage(DeltaDiscoveryRequest.encode({ type_url: CDS, response_nonce: nonces[0] }))
  handler.onMessage(DeltaDiscoveryRequest.encode({ type_url: SDS, resource_names_subscribe: ['default'] }))
  const [row] = syncStatus(server)
  expect(row).toMatchObject({
    node_id: 'n1',
    protocol: 'delta',
    peer: '10.0.0.1:5',
    identity: 'spiffe://t/ns/n/sa/s',
    connected_at: '2026-01-01T00:00:00.000Z',
    types: {
      cds: {
        type_url: CDS,
        state: 'SYNCED',
        subscribed: { wildcard: true, names: 0 },
        acked: { nonce: nonces[0], at: '2026-01-01T00:00:01.000Z' },
      },
      sds: { state: 'STALE', subscribed: { wildcard: false, names: 1 } },
    },
  })
  const [dump] = configDump(server, 'n1')
  expect(dump?.types['cds']).toEqual([
    { name: 'a', version: expect.any(String), resource: { name: 'a', connect_timeout: '1s' } },
    { name: 'b', version: expect.any(String), resource: { name: 'b' } },
  ])
  expect(dump?.types['sds']?.[0]?.name).toBe('default')
  const text = JSON.stringify([dump, row])
  expect(text).toContain('[redacted]')
  expect(text).not.toContain(KEY)
  expect(configDump(server, 'nobody')).toEqual([])
})
