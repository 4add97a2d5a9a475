import { defaultMeshConfig } from '@heddle/config-model'
import { Bootstrap } from '@heddle/xds-types/envoy/config/bootstrap/v3'
import { knownTypes } from '@heddle/xds-types/known'
import { expect, test } from 'vitest'
import { type ProxyDescriptor, proxyFromJson, proxyFromNode } from '../proxy.js'
import { type BootstrapKind, bootstrapFor } from './bootstrap.js'

function proxyOf(more: object = {}): ProxyDescriptor {
  const proxy = proxyFromJson({
    id: 'tea-0',
    namespace: 'shop',
    ip: '10.0.0.1',
    labels: { app: 'tea' },
    serviceAccount: 'tea',
    locality: 'r/z',
    network: 'n',
    ...more,
  })
  if (!proxy.ok) throw new Error('proxy')
  return proxy.value
}

const made = (kind: BootstrapKind, proxy = proxyOf(), config = {}) =>
  bootstrapFor(kind, { proxy, proxyConfig: { ...defaultMeshConfig.defaultConfig, ...config } })

test.each(['envoy', 'heddle'] as const)('the bootstrap of %s is a valid message by all rules', (kind) => {
  const read = Bootstrap.fromJson(made(kind), knownTypes)
  expect(read.diagnostics).toEqual([])
  if (!read.ok) return
  expect(Bootstrap.validate(read.value, knownTypes)).toEqual([])
})

test('its node says again what the proxy is', () => {
  const proxy = proxyOf()
  const read = proxyFromNode(made('envoy', proxy).node ?? {})
  expect(read.ok && { ...read.value, id: 'tea-0', serviceCluster: proxy.serviceCluster, metadata: {} }).toEqual({
    ...proxy,
    metadata: {},
  })
})

test('everything comes from the agent', () => {
  const { dynamic_resources, static_resources } = made('envoy')
  expect(dynamic_resources?.ads_config?.grpc_services).toEqual([{ envoy_grpc: { cluster_name: 'xds-grpc' } }])
  expect(static_resources?.clusters?.map((c) => c.name)).toEqual(['prometheus_stats', 'agent', 'sds-grpc', 'xds-grpc'])
  expect(static_resources?.listeners?.map((l) => l.name)).toEqual(['0.0.0.0_15090', '0.0.0.0_15021'])
})

test('ProxyConfig: ports, runtime, statistics', () => {
  const config = {
    proxyAdminPort: 16000,
    runtimeValues: { a: 'true', b: '7', 'envoy.reloadable_features.fixed_heap_use_allocated': '' },
    proxyStatsMatcher: { inclusionPrefixes: ['mine'] },
    extraStatTags: ['request_host'],
  }
  const { admin, layered_runtime, stats_config } = made('envoy', proxyOf(), config)
  expect(admin?.address?.socket_address?.port_value).toBe(16000)
  const layer = layered_runtime?.layers?.[0]?.static_layer
  expect(layer).toMatchObject({ a: true, b: 7 })
  expect(layer).not.toHaveProperty(['envoy.reloadable_features.fixed_heap_use_allocated'])
  expect(JSON.stringify(stats_config)).toContain('{"prefix":"mine"}')
  expect(JSON.stringify(stats_config)).toContain('"tag_name":"request_host"')
})

test('an IPv6-only proxy listens there', () => {
  const { admin, static_resources } = made('envoy', proxyOf({ ip: '2001:db8::1' }))
  expect(admin?.address?.socket_address?.address).toBe('::1')
  expect(static_resources?.listeners?.map((l) => l.name)).toEqual(['::_15090', '::_15021'])
})

test('ours has nothing that only Envoy knows', () => {
  expect(Object.keys(made('heddle')).sort()).toEqual(['admin', 'dynamic_resources', 'node', 'static_resources'])
})
