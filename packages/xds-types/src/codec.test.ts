import { describe, expect, it } from 'vitest'
import { Cluster } from './gen/envoy/config/cluster/v3.js'

describe('codec', () => {
  it('writes a cluster and reads it again', () => {
    const cluster: Cluster = {
      name: 'outbound|80||apps',
      type: 'EDS',
      connect_timeout: '1.500s',
      eds_cluster_config: { service_name: 'x', eds_config: { ads: {}, resource_api_version: 'V3' } },
      circuit_breakers: { thresholds: [{ max_connections: 4294967295, track_remaining: true }] },
      typed_extension_protocol_options: { a: { type_url: 'foo/bar', value: new Uint8Array([1, 2]) } },
      metadata: { filter_metadata: { istio: { config: '/x', n: 1.5, list: [null, true, 'a'], o: { deep: -1 } } } },
    }
    const bytes = Cluster.encode(cluster)
    expect(Cluster.decode(bytes)).toEqual({ ok: true, value: cluster, diagnostics: [] })
  })
})
