import { createStore, readYaml } from '@heddle/config-model'
import { expect, test } from 'vitest'
import { toJson } from '../output.js'
import { proxyFromJson } from '../proxy.js'
import { translate } from '../translate.js'

const SERVICE = `
apiVersion: v1
kind: Service
metadata: {name: tea, namespace: shop}
spec: {clusterIP: 10.0.0.1, ports: [{name: http, port: 80}, {name: tcp, port: 7000}]}
`
// biome-ignore lint/suspicious/noExplicitAny: what came out, as JSON.
type Json = any
const TEA = 'outbound|80||tea.shop.svc.cluster.local'

function meshWith(patches: readonly object[], spec: object = {}, metadata: object = {}) {
  const filter = {
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'EnvoyFilter',
    metadata: { name: 'patches', namespace: 'shop', ...metadata },
    spec: { configPatches: patches, ...spec },
  }
  const store = createStore()
  const { resources: objects, diagnostics } = readYaml(`${SERVICE}---\n${JSON.stringify(filter)}`, { file: 'a.yaml' })
  expect(diagnostics.filter((d) => d.severity === 'error')).toEqual([])
  store.apply({ set: objects })
  const proxy = proxyFromJson({ id: 'a', namespace: 'shop', ip: '10.1.0.1', labels: { app: 'a' } })
  if (!proxy.ok) throw new Error('proxy')
  const { resources, provenance } = translate(store.snapshot(), proxy.value)
  return { provenance, json: JSON.parse(JSON.stringify(toJson(resources))) }
}

const named = (list: { name: string }[], name: string) => list.find((one) => one.name === name) as Json
const filtersOf = (json: Json, listener: string, chain = 0): Json[] =>
  named(json.listeners, listener).filter_chains[chain].filters[0].typed_config.http_filters
const namesOf = (list: { name: string }[]): string[] => list.map(({ name }) => name)

test('CLUSTER: merge, add and remove, endpoints with it; provenance names the patch', () => {
  const { json, provenance } = meshWith([
    {
      applyTo: 'CLUSTER',
      match: { cluster: { service: 'tea.shop.svc.cluster.local', portNumber: 80 } },
      patch: { operation: 'MERGE', value: { connect_timeout: '1s', circuit_breakers: { thresholds: [{ max_connections: 3 }] } } },
    },
    { applyTo: 'CLUSTER', match: { context: 'SIDECAR_OUTBOUND', cluster: { portNumber: 7000 } }, patch: { operation: 'REMOVE' } },
    { applyTo: 'CLUSTER', patch: { operation: 'ADD', value: { name: 'mine', connect_timeout: '2s' } } },
  ])
  const tea = named(json.clusters, TEA)
  expect(tea.connect_timeout).toBe('1s')
  expect(tea.circuit_breakers.thresholds).toHaveLength(2)
  expect(namesOf(json.clusters)).toContain('mine')
  expect(namesOf(json.clusters).filter((n) => n.includes('|7000|'))).toEqual([])
  expect(json.endpoints.map((e: Json) => e.cluster_name)).toEqual([TEA])
  const [from] = provenance.of('type.googleapis.com/envoy.config.cluster.v3.Cluster', TEA, 'connect_timeout')
  expect(from).toMatchObject({ kind: 'EnvoyFilter', path: 'spec.configPatches[0]' })
})

test('MERGE_AND_REPLACE_LIST puts a list in the place of another', () => {
  const { json } = meshWith([
    {
      applyTo: 'CLUSTER',
      match: { cluster: { name: TEA } },
      patch: { operation: 'MERGE_AND_REPLACE_LIST', value: { circuit_breakers: { thresholds: [{ max_connections: 3 }] } } },
    },
  ])
  expect(named(json.clusters, TEA).circuit_breakers.thresholds).toEqual([{ max_connections: 3 }])
})

const HTTP = {
  context: 'SIDECAR_OUTBOUND',
  listener: {
    name: '0.0.0.0_80',
    filterChain: {
      filter: { name: 'envoy.filters.network.http_connection_manager', subFilter: { name: 'envoy.filters.http.cors' } },
    },
  },
}
const LUA = {
  name: 'lua',
  typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua', inline_code: 'x' },
}

test.each([
  ['INSERT_BEFORE', 'lua,envoy.filters.http.cors,envoy.filters.http.router'],
  ['INSERT_AFTER', 'envoy.filters.http.cors,lua,envoy.filters.http.router'],
  ['REPLACE', 'lua,envoy.filters.http.router'],
  ['REMOVE', 'envoy.filters.http.fault,envoy.filters.http.router'],
  ['ADD', 'envoy.filters.http.router,lua'],
])('HTTP_FILTER %s', (operation, tail) => {
  const { json } = meshWith([
    { applyTo: 'HTTP_FILTER', match: HTTP, patch: operation === 'REMOVE' ? { operation } : { operation, value: LUA } },
  ])
  expect(namesOf(filtersOf(json, '0.0.0.0_80')).join(',')).toMatch(new RegExp(`${tail}$`))
})

test('HTTP_FILTER INSERT_FIRST and MERGE of a configuration of the same type', () => {
  const { json } = meshWith([
    { applyTo: 'HTTP_FILTER', match: { context: 'SIDECAR_OUTBOUND' }, patch: { operation: 'INSERT_FIRST', value: LUA } },
    {
      applyTo: 'HTTP_FILTER',
      match: {
        ...HTTP,
        listener: {
          filterChain: { filter: { name: 'envoy.filters.network.http_connection_manager', subFilter: { name: 'lua' } } },
        },
      },
      patch: { operation: 'MERGE', value: { typed_config: { ...LUA.typed_config, inline_code: 'y' } } },
    },
  ])
  expect(filtersOf(json, '0.0.0.0_80')[0]).toMatchObject({ name: 'lua', typed_config: { inline_code: 'y' } })
})

test('VIRTUAL_HOST and HTTP_ROUTE: hosts by name, routes before all others', () => {
  const route = { name: 'first', match: { prefix: '/x' }, direct_response: { status: 200 } }
  const { json } = meshWith([
    {
      applyTo: 'HTTP_ROUTE',
      match: { routeConfiguration: { vhost: { name: 'tea.shop.svc.cluster.local:80' } } },
      patch: { operation: 'INSERT_FIRST', value: route },
    },
    { applyTo: 'VIRTUAL_HOST', match: { routeConfiguration: { vhost: { name: 'allow_any' } } }, patch: { operation: 'REMOVE' } },
    {
      applyTo: 'ROUTE_CONFIGURATION',
      match: { context: 'SIDECAR_OUTBOUND', routeConfiguration: { portNumber: 80 } },
      patch: { operation: 'MERGE', value: { internal_only_headers: ['x'] } },
    },
  ])
  const config = named(json.routes, '80')
  expect(config.internal_only_headers).toEqual(['x'])
  expect(namesOf(config.virtual_hosts)).toEqual(['tea.shop.svc.cluster.local:80'])
  expect(namesOf(config.virtual_hosts[0].routes)).toEqual(['first', 'default'])
})

test('LISTENER, FILTER_CHAIN, LISTENER_FILTER and NETWORK_FILTER', () => {
  const { json } = meshWith([
    {
      applyTo: 'LISTENER',
      match: { listener: { portNumber: 7000 } },
      patch: { operation: 'MERGE', value: { per_connection_buffer_limit_bytes: 7 } },
    },
    {
      applyTo: 'NETWORK_FILTER',
      match: { listener: { portNumber: 7000 } },
      patch: { operation: 'INSERT_FIRST', value: { name: 'echo' } },
    },
    {
      applyTo: 'LISTENER_FILTER',
      match: { listener: { name: 'virtualInbound', listenerFilter: 'envoy.filters.listener.tls_inspector' } },
      patch: { operation: 'REMOVE' },
    },
    {
      applyTo: 'FILTER_CHAIN',
      match: { listener: { name: 'virtualInbound', filterChain: { name: 'virtualInbound-blackhole' } } },
      patch: { operation: 'REMOVE' },
    },
  ])
  const tcp = named(json.listeners, '10.0.0.1_7000')
  expect(tcp.per_connection_buffer_limit_bytes).toBe(7)
  expect(tcp.filter_chains[0].filters[0].name).toBe('echo')
  const inbound = named(json.listeners, 'virtualInbound')
  expect(namesOf(inbound.listener_filters)).not.toContain('envoy.filters.listener.tls_inspector')
  expect(namesOf(inbound.filter_chains)).not.toContain('virtualInbound-blackhole')
})

test('only for the proxies that it selects, of the version that it names', () => {
  const patch = {
    applyTo: 'CLUSTER',
    match: { cluster: { name: TEA } },
    patch: { operation: 'MERGE', value: { connect_timeout: '1s' } },
  }
  const timeout = (...args: Parameters<typeof meshWith>): string => named(meshWith(...args).json.clusters, TEA).connect_timeout
  expect(timeout([patch], { workloadSelector: { labels: { app: 'other' } } })).toBe('10s')
  expect(timeout([patch], {}, { namespace: 'elsewhere' })).toBe('10s')
  expect(timeout([patch], {}, { namespace: 'istio-system' })).toBe('1s')
  expect(timeout([{ ...patch, match: { ...patch.match, proxy: { proxyVersion: '^1\\.9.*' } } }])).toBe('10s')
  expect(timeout([{ ...patch, match: { ...patch.match, proxy: { proxyVersion: '^1\\.32.*' } } }])).toBe('1s')
})
