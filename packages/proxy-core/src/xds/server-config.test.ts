import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import { expect, it } from 'vitest'
import { serversOf } from './server-config.js'

const source = { grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }] }
const clusterOf = (...addresses: readonly string[]): Cluster => ({
  name: 'xds',
  load_assignment: {
    cluster_name: 'xds',
    endpoints: addresses.map((address) => ({
      lb_endpoints: [{ endpoint: { address: { socket_address: { address, port_value: 15010 } } } }],
    })),
  },
})

it.each([
  [['10.0.0.1'], '10.0.0.1:15010'],
  [['istiod.istio-system.svc'], 'istiod.istio-system.svc:15010'],
  [['10.0.0.1', '10.0.0.2'], 'ipv4:10.0.0.1:15010,10.0.0.2:15010'],
  [['fd00::1', 'fd00::2'], 'ipv6:[fd00::1]:15010,[fd00::2]:15010'],
])('all endpoints of the cluster are servers: %j', (addresses, target) => {
  expect(serversOf(source, [clusterOf(...addresses)], {})).toMatchObject({ ok: true, value: [{ target }] })
})

it('a mixture is refused by name', () => {
  const mixed = serversOf(source, [clusterOf('10.0.0.1', 'istiod.istio-system.svc')], {})
  expect(mixed).toMatchObject({ ok: false, diagnostics: [{ path: expect.stringContaining('grpc_services[0]') }] })
})
