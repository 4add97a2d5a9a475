import { createStore, readYaml } from '@heddle/config-model'
import { expect, test } from 'vitest'
import { toJson } from '../output.js'
import { proxyFromJson } from '../proxy.js'
import { translate } from '../translate.js'

const CLUSTER = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'

function meshWith(annotations: Readonly<Record<string, string>>) {
  const rule = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name: 'tea', namespace: 'shop', annotations },
    spec: { host: 'tea' },
  }
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'tea', namespace: 'shop' },
    spec: {
      clusterIP: '10.0.0.1',
      ports: [
        { name: 'http', port: 80 },
        { name: 'tcp', port: 7000 },
        { name: 'grpc', port: 9000 },
      ],
    },
  }
  const route = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'tea', namespace: 'shop' },
    spec: {
      hosts: ['tea'],
      http: [
        { match: [{ uri: { prefix: '/two' } }], route: [half('tea'), half('elsewhere')] },
        { route: [{ destination: { host: 'tea' } }] },
      ],
    },
  }
  const store = createStore()
  store.apply({
    set: readYaml([rule, service, route].map((o) => JSON.stringify(o)).join('\n---\n'), { file: 'a.yaml' }).resources,
  })
  const proxy = proxyFromJson({ id: 'a', namespace: 'shop', ip: '10.1.0.1' })
  if (!proxy.ok) throw new Error('proxy')
  const { resources, provenance } = translate(store.snapshot(), proxy.value)
  return { provenance, json: JSON.parse(JSON.stringify(toJson(resources))) }
}

const half = (host: string): object => ({ destination: { host }, weight: 50 })
const checksOf = (json: { clusters: { name: string; health_checks?: object[] }[] }, port: number) =>
  json.clusters.find((c) => c.name === `outbound|${port}||tea.shop.svc.cluster.local`)?.health_checks

test('an HTTP check stands on the HTTP ports of the destination only, and is made as often without traffic', () => {
  const { json, provenance } = meshWith({
    'heddle.dev/health-check': '{protocol: HTTP, path: /up, interval: 2s, expectedStatuses: [204]}',
  })
  expect(checksOf(json, 80)).toEqual([
    {
      timeout: '1s',
      interval: '2s',
      no_traffic_interval: '2s',
      unhealthy_threshold: 3,
      healthy_threshold: 1,
      http_health_check: { host: 'tea.shop.svc.cluster.local', path: '/up', expected_statuses: [{ start: '204', end: '205' }] },
    },
  ])
  expect(checksOf(json, 7000)).toBeUndefined()
  expect(provenance.of(CLUSTER, 'outbound|80||tea.shop.svc.cluster.local', 'health_checks')[0]?.path).toBe(
    'metadata.annotations["heddle.dev/health-check"]',
  )
})

test('a gRPC check stands on HTTP/2 ports only, a TCP check on all', () => {
  const grpc = meshWith({ 'heddle.dev/health-check': '{protocol: GRPC, service: tea}' }).json
  expect([checksOf(grpc, 80), checksOf(grpc, 7000), checksOf(grpc, 9000)?.length]).toEqual([undefined, undefined, 1])
  const tcp = meshWith({ 'heddle.dev/health-check': '{}' }).json
  expect([80, 7000, 9000].map((port) => checksOf(tcp, port)?.length)).toEqual([1, 1, 1])
})

test('a rate limit stands on routes to the destination and on its share of a split, and the filter in the chain', () => {
  const { json } = meshWith({ 'heddle.dev/local-rate-limit': '{maxTokens: 10}' })
  const routes = json.routes.find((r: { name: string }) => r.name === '80').virtual_hosts[0].routes
  const [shared, other] = routes[0].route.weighted_clusters.clusters
  expect(routes[1].typed_per_filter_config['envoy.filters.http.local_ratelimit'].token_bucket).toEqual({
    max_tokens: 10,
    tokens_per_fill: 10,
    fill_interval: '1s',
  })
  expect(shared.typed_per_filter_config['envoy.filters.http.local_ratelimit']).toBeDefined()
  expect(other.typed_per_filter_config).toBeUndefined()
  expect(JSON.stringify(json.listeners)).toContain('envoy.filters.http.local_ratelimit')
})

test('nothing of it is there unless it is asked for', () => {
  const text = JSON.stringify(meshWith({}).json)
  expect(text).not.toContain('local_ratelimit')
  expect(text).not.toContain('health_checks')
})
