import { createStore, type MeshConfig, type MeshSnapshot, readMeshConfig, readYaml } from '@heddle/config-model'
import { describe, expect, test } from 'vitest'
import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE } from './message.js'
import { toJson } from './output.js'
import { type ProxyDescriptor, proxyFromNode } from './proxy.js'
import { translate } from './translate.js'

const MESH = `
apiVersion: v1
kind: Service
metadata: {name: tea, namespace: shop}
spec: {selector: {app: tea}, ports: [{name: http, port: 80, targetPort: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: cake, namespace: shop}
spec: {selector: {app: cake}, ports: [{name: http, port: 80, targetPort: 80}]}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: tea, namespace: shop}
spec: {address: 127.0.0.1, ports: {http: 21001}, labels: {app: tea}, serviceAccount: tea}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: cake, namespace: shop}
spec: {address: 127.0.0.1, ports: {http: 21002}, labels: {app: cake, extra: "1"}, serviceAccount: cake}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: tea, namespace: shop}
spec:
  workloadSelector: {labels: {app: tea}}
  ingress:
  - {port: {number: 21001, protocol: HTTP, name: http}, bind: 127.0.0.1, captureMode: NONE, defaultEndpoint: "127.0.0.1:31001"}
---
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: tea, namespace: shop}
spec:
  hosts: [tea]
  http:
  - match: [{headers: {username: {exact: nolen}}}]
    route: [{destination: {host: cake}}]
  - route: [{destination: {host: tea}, weight: 90}, {destination: {host: cake}, weight: 10}]
`
const GATEWAY = `
---
apiVersion: v1
kind: Service
metadata: {name: door, namespace: edge}
spec: {selector: {istio: door}, ports: [{name: http2, port: 80, targetPort: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: door, namespace: edge}
spec: {address: 127.0.0.1, ports: {http2: 21080}, labels: {istio: door}, serviceAccount: door}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: door, namespace: edge}
spec: {selector: {istio: door}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: by-host, namespace: shop}
spec: {hosts: [tea.example], gateways: [edge/door], http: [{route: [{destination: {host: tea}}]}]}
`

function snapshotOf(yaml: string, mesh = '{}'): MeshSnapshot {
  const config = readMeshConfig(mesh)
  const store = createStore({ meshConfig: (config as { value: MeshConfig }).value })
  const read = readYaml(yaml, { file: 'mesh.yaml' })
  expect(read.diagnostics.filter((d) => d.severity === 'error')).toEqual([])
  store.apply({ set: read.resources })
  return store.snapshot()
}

function proxyOf(id: string, metadata: Record<string, unknown>): ProxyDescriptor {
  const result = proxyFromNode({ id, metadata })
  if (!result.ok) throw new Error(result.diagnostics[0]?.message)
  return result.value
}

const tea = proxyOf('sidecar~127.0.0.1~tea.shop~shop.svc.cluster.local', {
  LABELS: { app: 'tea' },
  INTERCEPTION_MODE: 'NONE',
  HTTP_PROXY_PORT: '25080',
  UNPRIVILEGED_POD: 'true',
})
const door = proxyOf('router~127.0.0.1~door.edge~edge.svc.cluster.local', { LABELS: { istio: 'door' }, UNPRIVILEGED_POD: 'true' })

// biome-ignore lint/suspicious/noExplicitAny: what a test reads of a resource is checked by reading it
type Json = any
const named = (list: readonly object[], name: string): Json =>
  list.find((r) => (r as Json).name === name || (r as Json).cluster_name === name)
const hostOf = (routes: Json, name: string): Json => routes.virtual_hosts.find((h: Json) => h.name === name)
const filtersOf = (chain: Json): string[] => chain.filters.at(-1).typed_config.http_filters.map((f: Json) => f.name)

describe('a sidecar without redirection', () => {
  const { listeners, routes, clusters, endpoints, secrets } = toJson(translate(snapshotOf(MESH), tea).resources)

  test('has the HTTP proxy and its ingress, and no privileged port', () => {
    expect(listeners.map((l) => (l as Json).name)).toEqual(['127.0.0.1_21001', '127.0.0.1_25080'])
    expect(routes.map((r) => (r as Json).name)).toEqual(['http_proxy'])
  })

  test('routes by header, then by weight', () => {
    const host = hostOf(named(routes, 'http_proxy'), 'tea.shop.svc.cluster.local:80')
    expect(host.domains).toEqual(expect.arrayContaining(['tea', 'tea:80', 'tea.shop', 'tea.shop.svc.cluster.local']))
    expect(host.include_request_attempt_count).toBe(true)
    const [first, second] = host.routes
    expect([first.match.headers, first.route.cluster]).toEqual([
      [{ name: 'username', string_match: { exact: 'nolen' } }],
      'outbound|80||cake.shop.svc.cluster.local',
    ])
    expect(second.route.weighted_clusters.clusters).toEqual([
      { name: 'outbound|80||tea.shop.svc.cluster.local', weight: 90 },
      { name: 'outbound|80||cake.shop.svc.cluster.local', weight: 10 },
    ])
  })

  test('sends what comes in to the application', () => {
    expect(named(clusters, 'inbound|21001||')).toMatchObject({
      type: 'STATIC',
      load_assignment: {
        endpoints: [
          { lb_endpoints: [{ endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: 31001 } } } }] },
        ],
      },
    })
    expect(named(clusters, 'inbound|21001||')).not.toHaveProperty('upstream_bind_config')
  })

  test('knows endpoints that take mTLS, and needs its own certificate for them', () => {
    const [locality] = named(endpoints, 'outbound|80||cake.shop.svc.cluster.local').endpoints
    expect(locality.lb_endpoints).toHaveLength(1)
    expect(locality.lb_endpoints[0]).toMatchObject({
      endpoint: { address: { socket_address: { port_value: 21002 } } },
      metadata: { filter_metadata: { 'envoy.transport_socket_match': { tlsMode: 'istio' } } },
    })
    expect(secrets).toEqual(['ROOTCA', 'default'])
  })

  test('lets plaintext and mTLS in while nothing forbids it', () => {
    const chains = named(listeners, '127.0.0.1_21001').filter_chains
    expect(chains.map((c: Json) => [c.filter_chain_match.transport_protocol, c.transport_socket !== undefined])).toEqual([
      ['tls', true],
      ['raw_buffer', false],
    ])
    expect(filtersOf(chains[0])).toEqual([
      'istio.metadata_exchange',
      'envoy.filters.http.grpc_stats',
      'envoy.filters.http.fault',
      'envoy.filters.http.cors',
      'envoy.filters.http.router',
    ])
  })
})

test('STRICT leaves no plaintext chain', () => {
  const yaml = `${MESH}---\napiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: default, namespace: shop}\nspec: {mtls: {mode: STRICT}}\n`
  const { listeners } = toJson(translate(snapshotOf(yaml), tea).resources)
  const chains = named(listeners, '127.0.0.1_21001').filter_chains
  expect(chains.map((c: Json) => c.filter_chain_match)).toEqual([{ transport_protocol: 'tls', destination_port: 21001 }])
  expect(chains[0].transport_socket.typed_config.require_client_certificate).toBe(true)
})

test('a policy of the workload stands before everything that spends work, and one of another workload does not', () => {
  const policy = (app: string): string =>
    `---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: ${app}, namespace: shop}\nspec: {selector: {matchLabels: {app: ${app}}}, rules: [{to: [{operation: {methods: [GET]}}]}]}\n`
  const { listeners } = toJson(translate(snapshotOf(MESH + policy('tea') + policy('cake')), tea).resources)
  const [chain] = named(listeners, '127.0.0.1_21001').filter_chains
  expect(filtersOf(chain).slice(0, 2)).toEqual(['istio.metadata_exchange', 'envoy.filters.http.rbac'])
  const rbac = chain.filters.at(-1).typed_config.http_filters[1].typed_config
  expect(Object.keys(rbac.rules.policies)).toEqual(['ns[shop]-policy[tea]-rule[0]'])
})

test('mesh config switches metrics and access logs on', () => {
  const { listeners } = toJson(
    translate(snapshotOf(MESH, 'accessLogFile: /dev/stdout\ndefaultProviders: {metrics: [prometheus]}\n'), tea).resources,
  )
  const manager = named(listeners, '127.0.0.1_21001').filter_chains[0].filters.at(-1).typed_config
  expect(manager.access_log[0].typed_config.path).toBe('/dev/stdout')
  expect(manager.http_filters.at(-2)).toEqual({
    name: 'istio.stats',
    typed_config: { '@type': 'type.googleapis.com/stats.PluginConfig', disable_host_header_fallback: true },
  })
})

test('a stock Envoy gets none of the filters that only Istio builds', () => {
  const stock = { ...tea, stockEnvoy: true }
  const text = JSON.stringify(toJson(translate(snapshotOf(MESH, 'defaultProviders: {metrics: [prometheus]}'), stock).resources))
  expect(/istio\.(metadata_exchange|alpn|stats)/.exec(text)).toBeNull()
  expect(text.includes('"alpn_protocols":["istio-peer-exchange"')).toBe(false)
  expect(JSON.stringify(toJson(translate(snapshotOf(MESH), tea).resources)).includes('istio.metadata_exchange')).toBe(true)
})

describe('a gateway', () => {
  const { listeners, routes } = toJson(translate(snapshotOf(MESH + GATEWAY), door).resources)

  test('listens on the target port of the Service in front of it, among workloads that share its address', () => {
    expect(listeners.map((l) => (l as Json).name)).toEqual(['0.0.0.0_21080'])
  })

  test('serves the hosts of the VirtualServices that name it, by the port of the server', () => {
    const [only] = named(routes, 'http.21080').virtual_hosts
    expect([only.name, only.domains, only.routes[0].route.cluster]).toEqual([
      'tea.example:80',
      ['tea.example'],
      'outbound|80||tea.shop.svc.cluster.local',
    ])
  })

  test('answers 404 where there are no routes', () => {
    const yaml = (MESH + GATEWAY).replace('gateways: [edge/door]', 'gateways: [edge/other]')
    expect(named(toJson(translate(snapshotOf(yaml), door).resources).routes, 'http.21080').virtual_hosts).toEqual([
      { name: 'blackhole:80', domains: ['*'] },
    ])
  })
})

describe('provenance', () => {
  const snapshot = snapshotOf(
    `${MESH}---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p, namespace: shop}\nspec: {rules: [{}]}\n`,
  )
  const { provenance } = translate(snapshot, tea)
  const of = (type: string, name: string, path?: string): string[] =>
    provenance.of(type, name, path).map((p) => `${p.kind} ${p.namespace}/${p.name} ${p.path}`.trim())
  const host = 'virtual_hosts[tea.shop.svc.cluster.local:80]'

  test.each([
    [
      'the route that a match block made',
      ROUTE_TYPE,
      'http_proxy',
      `${host}.routes[0]`,
      'VirtualService shop/tea spec.http[0].match[0]',
    ],
    [
      'its cluster',
      ROUTE_TYPE,
      'http_proxy',
      `${host}.routes[0].route.cluster`,
      'VirtualService shop/tea spec.http[0].route[0].destination',
    ],
    [
      'a weighted cluster',
      ROUTE_TYPE,
      'http_proxy',
      `${host}.routes[1].route.weighted_clusters.clusters[1].weight`,
      'VirtualService shop/tea spec.http[1].route[1]',
    ],
    [
      'a route without VirtualService',
      ROUTE_TYPE,
      'http_proxy',
      'virtual_hosts[cake.shop.svc.cluster.local:80].routes[0]',
      'Service shop/cake spec.ports[0]',
    ],
    ['a listener', LISTENER_TYPE, '127.0.0.1_21001', '', 'Sidecar shop/tea spec.ingress[0]'],
    ['a cluster', CLUSTER_TYPE, 'outbound|80||cake.shop.svc.cluster.local', 'connect_timeout', 'Service shop/cake spec.ports[0]'],
    [
      'an endpoint',
      ENDPOINT_TYPE,
      'outbound|80||cake.shop.svc.cluster.local',
      'endpoints[0].lb_endpoints[0]',
      'WorkloadEntry shop/cake',
    ],
    [
      'a policy',
      LISTENER_TYPE,
      '127.0.0.1_21001',
      'filter_chains[0].filters[1].typed_config.http_filters[1].typed_config.rules.policies["ns[shop]-policy[p]-rule[0]"]',
      'AuthorizationPolicy shop/p spec.rules[0]',
    ],
  ])('%s', (_, type, name, path, want) => {
    expect(of(type, name, path)[0]).toBe(want)
  })

  test('is silent about what is not there', () => {
    expect(of(ROUTE_TYPE, 'nothing')).toEqual([])
    expect(of(LISTENER_TYPE, '127.0.0.1_25080', 'filter_chains[0]')).toEqual([])
  })
})

test('the order of objects in the config changes nothing', () => {
  const documents = (MESH + GATEWAY).split('---')
  const text = (docs: readonly string[], proxy: ProxyDescriptor): string =>
    JSON.stringify(toJson(translate(snapshotOf(docs.join('---')), proxy).resources))
  for (const proxy of [tea, door]) expect(text([...documents].reverse(), proxy)).toBe(text(documents, proxy))
})
