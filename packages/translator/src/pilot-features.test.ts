import { createStore, readMeshConfig, readYaml } from '@heddle/config-model'
import { expect, test } from 'vitest'
import { toJson } from './output.js'
import { pilotFeatures } from './pilot-features.js'
import { proxyFromJson } from './proxy.js'
import { translate } from './translate.js'

const MESH = `apiVersion: v1
kind: Service
metadata: {name: tea, namespace: shop, labels: {istio.io/persistent-session: tea-cookie}}
spec: {clusterIP: 10.1.1.1, selector: {app: tea}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: milk, namespace: shop, labels: {istio.io/persistent-session-header: x-milk}}
spec: {clusterIP: 10.1.1.2, selector: {app: milk}, ports: [{name: http, port: 80}, {name: redis, port: 6379}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: tea-1, namespace: shop, labels: {kubernetes.io/service-name: tea}}
addressType: IPv4
endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}}, {addresses: [10.0.0.2], conditions: {ready: false, serving: true, terminating: true}}]
ports: [{name: http, port: 80}]
---
apiVersion: v1
kind: Service
metadata: {name: many, namespace: shop}
spec: {clusterIP: None, selector: {app: many}, ports: [{name: tcp, port: 90}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: many-1, namespace: shop, labels: {kubernetes.io/service-name: many}}
addressType: IPv4
endpoints: [{addresses: [10.0.0.8], conditions: {ready: true}}]
ports: [{name: tcp, port: 90}]
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: g, namespace: elsewhere}
spec: {selector: {app: client}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: r, namespace: shop}
spec: {jwtRules: [{issuer: me, jwksUri: "http://tea.shop.svc.cluster.local/keys"}, {issuer: you, jwksUri: "https://keys.example/k"}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: dns, namespace: shop}
spec: {hosts: [dns.example], resolution: DNS, ports: [{number: 90, name: tcp, protocol: TCP}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: milk, namespace: shop}
spec: {hosts: [milk], gateways: [mesh, elsewhere/g], http: [{route: [{destination: {host: milk}}], mirror: {host: tea}}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: milk-1, namespace: shop}
spec: {host: milk, subsets: [{name: fresh, labels: {a: b}}], exportTo: [".", elsewhere]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: milk-2, namespace: shop}
spec: {host: milk, trafficPolicy: {connectionPool: {tcp: {maxConnections: 77}}}, exportTo: ["."]}
`

type Kind = 'listeners' | 'routes' | 'clusters' | 'endpoints'

/** The sidecar's or gateway's resources as one text each, by type and name. */
function made(env: Record<string, string>, type = 'sidecar', mesh = '{}'): (kind: Kind, name: string) => string {
  const meshConfig = readMeshConfig(mesh)
  if (!meshConfig.ok) throw new Error('no mesh config')
  const store = createStore({ meshConfig: meshConfig.value })
  store.apply({ set: readYaml(MESH, { file: 'f.yaml' }).resources })
  const proxy = proxyFromJson({ id: 'client', type, namespace: 'shop', ip: '10.0.0.9', labels: { app: 'client' } })
  if (!proxy.ok) throw new Error('no proxy')
  const resources = toJson(translate(store.snapshot(), proxy.value, { features: pilotFeatures(env) }).resources)
  return (kind, name) => {
    const list = resources[kind] as readonly { name?: string; cluster_name?: string }[]
    return JSON.stringify(list.find((one) => (one.cluster_name ?? one.name) === name) ?? null)
  }
}
const TEA = 'outbound|80||tea.shop.svc.cluster.local'
const MILK = 'outbound|80||milk.shop.svc.cluster.local'

test.each<[string, string, [Kind, string], string, boolean]>([
  ['PILOT_ENABLE_ALPN_FILTER', 'false', ['listeners', '0.0.0.0_80'], 'istio.alpn', true],
  ['PILOT_ENABLE_METADATA_EXCHANGE', 'false', ['listeners', 'virtualInbound'], 'metadata_exchange', true],
  ['PILOT_ENABLE_METADATA_EXCHANGE', 'false', ['clusters', TEA], 'metadata_exchange', true],
  ['PILOT_DISABLE_MX_ALPN', 'true', ['clusters', TEA], '"alpn_protocols":["istio-peer-exchange"', true],
  ['PILOT_HTTP10', 'true', ['listeners', '0.0.0.0_80'], '"accept_http_10":true', false],
  ['PILOT_HTTP10', 'true', ['listeners', '0.0.0.0_80'], '"application_protocols":["http/1.0","http/1.1","h2c"]', false],
  ['PILOT_HTTP10', 'true', ['listeners', 'virtualInbound'], '"application_protocols":["http/1.0","http/1.1","h2c"]', false],
  ['ENABLE_LOCALITY_WEIGHTED_LB_CONFIG', 'true', ['clusters', TEA], '"locality_weighted_lb_config":{}', false],
  ['ENABLE_ENHANCED_DESTINATIONRULE_MERGE', 'false', ['clusters', `outbound|80|fresh|${MILK.slice(13)}`], '77', false],
  ['DISABLE_SHADOW_HOST_SUFFIX', 'false', ['routes', '80'], '"disable_shadow_host_suffix_append":true', true],
  ['DISABLE_TRACK_REMAINING_CB_METRICS', 'false', ['clusters', TEA], '"track_remaining":true', false],
  ['DISABLE_TRACK_REMAINING_CB_METRICS', 'false', ['clusters', MILK], '"track_remaining":true', false],
  ['PILOT_ENABLE_TELEMETRY_LABEL', 'false', ['clusters', TEA], '"services":[', true],
  ['PILOT_ENABLE_TELEMETRY_LABEL', 'false', ['endpoints', TEA], '"workload":', true],
  ['PILOT_ENDPOINT_TELEMETRY_LABEL', 'false', ['endpoints', TEA], '"workload":', true],
  ['PILOT_MX_ADDITIONAL_LABELS', 'team,tier', ['clusters', TEA], '"additional_labels":["team","tier"]', false],
  ['PILOT_MX_ADDITIONAL_LABELS', 'team,tier', ['listeners', '0.0.0.0_80'], '"additional_labels":["team","tier"]', false],
  ['PILOT_ENABLE_ABSOLUTE_FQDN_VHOST_DOMAIN', 'false', ['routes', '80'], '"tea.shop.svc.cluster.local."', true],
  [
    'PILOT_ENABLE_EDS_FOR_HEADLESS_SERVICES',
    'true',
    ['clusters', 'outbound|90||many.shop.svc.cluster.local'],
    '"type":"EDS"',
    false,
  ],
  [
    'PILOT_ENABLE_REDIS_FILTER',
    'true',
    ['listeners', '10.1.1.2_6379'],
    '"catch_all_route":{"cluster":"outbound|6379||milk',
    false,
  ],
  ['PILOT_ENABLE_REDIS_FILTER', 'true', ['clusters', 'outbound|6379||milk.shop.svc.cluster.local'], '"MAGLEV"', false],
  [
    'PILOT_GATEWAY_TRANSPORT_SOCKET_CONNECT_TIMEOUT',
    '0s',
    ['listeners', '0.0.0.0_80'],
    '"transport_socket_connect_timeout":"15s"',
    true,
  ],
  ['PILOT_AUTO_SEND_UNHEALTHY_ENDPOINTS', 'false', ['clusters', TEA], '"healthy_panic_threshold":{}', true],
  ['PILOT_SIDECAR_USE_REMOTE_ADDRESS', '1', ['listeners', '0.0.0.0_80'], '"use_remote_address":true', false],
  ['ENABLE_100_CONTINUE_HEADERS', 'false', ['listeners', '0.0.0.0_80'], 'proxy_100_continue', true],
  ['ISTIO_DEFAULT_REQUEST_TIMEOUT', '1m5s', ['routes', '80'], '"timeout":"65s"', false],
  ['PILOT_DNS_JITTER_DURATION', '0s', ['clusters', 'outbound|90||dns.example'], 'dns_jitter', true],
  ['PILOT_DNS_CARES_UDP_MAX_QUERIES', '7', ['clusters', 'outbound|90||dns.example'], '"udp_max_queries":7', false],
  ['MAX_CONNECTIONS_PER_SOCKET_EVENT_LOOP', '0', ['listeners', 'virtualInbound'], 'max_connections_to_accept', true],
  ['PILOT_SKIP_VALIDATE_TRUST_DOMAIN', 'true', ['listeners', 'virtualInbound'], '"prefix":"spiffe://', true],
  ['PILOT_ENABLE_HEADLESS_SERVICE_POD_LISTENERS', 'false', ['listeners', '10.0.0.8_90'], '"name":"10.0.0.8_90"', true],
  [
    'PILOT_JWT_ENABLE_REMOTE_JWKS',
    'hybrid',
    ['listeners', 'virtualInbound'],
    `"remote_jwks":{"http_uri":{"uri":"http://tea.shop.svc.cluster.local/keys","cluster":"${TEA}"`,
    false,
  ],
  ['PILOT_JWT_ENABLE_REMOTE_JWKS', 'envoy', ['listeners', 'virtualInbound'], '"cluster":"outbound|443||keys.example"', false],
])('%s=%s', (name, value, [kind, resource], text, byDefault) => {
  expect(made({})(kind, resource).includes(text)).toBe(byDefault)
  expect(made({ [name]: value })(kind, resource).includes(text)).toBe(!byDefault)
})

test('PILOT_SCOPE_GATEWAY_TO_NAMESPACE', () => {
  expect(made({}, 'router')('listeners', '0.0.0.0_80')).not.toBe('null')
  expect(made({ PILOT_SCOPE_GATEWAY_TO_NAMESPACE: 'true' }, 'router')('listeners', '0.0.0.0_80')).toBe('null')
})

test('PILOT_ALLOW_ANY_DYNAMIC_DNS_MAX_HOSTS', () => {
  const mesh = 'outboundTrafficPolicy: {mode: ALLOW_ANY_DYNAMIC_DNS}'
  expect(made({}, 'sidecar', mesh)('clusters', 'AllowAnyDynamicDNSCluster')).toContain('"max_hosts":1024')
  const more = made({ PILOT_ALLOW_ANY_DYNAMIC_DNS_MAX_HOSTS: '7' }, 'sidecar', mesh)
  expect(more('clusters', 'AllowAnyDynamicDNSCluster')).toContain('"max_hosts":7')
})

test('PILOT_FILTER_GATEWAY_CLUSTER_CONFIG: clusters that routes of the gateway lead to', () => {
  const dns = 'outbound|90||dns.example'
  const off = made({}, 'router')
  expect([off('clusters', dns), off('endpoints', 'outbound|90||many.shop.svc.cluster.local')]).not.toContain('null')
  const on = made({ PILOT_FILTER_GATEWAY_CLUSTER_CONFIG: 'true' }, 'router')
  expect([on('clusters', dns), on('endpoints', 'outbound|90||many.shop.svc.cluster.local')]).toEqual(['null', 'null'])
  expect([on('clusters', TEA), on('clusters', MILK)]).not.toContain('null')
})

test('persistent sessions, by cookie or header', () => {
  const off = made({})
  expect(off('listeners', '0.0.0.0_80') + off('routes', '80')).not.toContain('stateful_session')
  expect(made({ PILOT_PERSISTENT_SESSION_LABEL: 'other' })('endpoints', TEA)).not.toContain('DRAINING')
  const on = made({ PILOT_ENABLE_PERSISTENT_SESSION_FILTER: 'true' })
  expect(on('listeners', '0.0.0.0_80')).toMatch(/stateful_session.*envoy\.filters\.http\.router/)
  expect(on('listeners', 'virtualInbound')).not.toContain('stateful_session')
  expect(on('routes', '80')).toContain('"cookie":{"name":"tea-cookie","path":"/"}')
  expect(on('routes', '80')).toContain('HeaderBasedSessionState","name":"x-milk"')
  expect(on('clusters', TEA)).toContain('"override_host_status"')
  expect(on('endpoints', TEA)).toContain('DRAINING')
})

test('a value that is none counts as absent', () => {
  expect(
    pilotFeatures({ PILOT_HTTP10: 'yes', PILOT_TRACE_SAMPLING: 'much', ISTIO_DEFAULT_REQUEST_TIMEOUT: 'long' }),
  ).toMatchObject({
    http10: false,
    traceSampling: 1,
    requestTimeout: 0,
  })
})
