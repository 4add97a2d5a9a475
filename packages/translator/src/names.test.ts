import { expect, test } from 'vitest'
import { hostWithPort, inboundCluster, outboundCluster, parseClusterName, sniOfCluster } from './names.js'

test('cluster names go there and back', () => {
  const name = outboundCluster(80, 'v1', 'reviews.default.svc.cluster.local')
  expect(name).toBe('outbound|80|v1|reviews.default.svc.cluster.local')
  expect(parseClusterName(name)).toEqual({
    direction: 'outbound',
    port: 80,
    subset: 'v1',
    host: 'reviews.default.svc.cluster.local',
  })
  expect(parseClusterName(inboundCluster(8080))).toEqual({ direction: 'inbound', port: 8080, subset: '', host: '' })
})

test.each(['PassthroughCluster', 'outbound|x||h', 'sideways|80||h', 'outbound|80||h|more', ''])(
  '%s is no service cluster',
  (name) => {
    expect(parseClusterName(name)).toBeUndefined()
  },
)

test('the SNI of a cluster', () => {
  expect(sniOfCluster(80, '', 'h.ns')).toBe('outbound_.80_._.h.ns')
})

test('IPv6 hosts stand in brackets', () => {
  expect(hostWithPort('2001:db8::1', 80)).toBe('[2001:db8::1]:80')
})
