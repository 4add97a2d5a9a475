import { createStore, defaultMeshConfig, readMeshConfig, readYaml } from '@heddle/config-model'
import { describe, expect, test } from 'vitest'
import { toJson } from './output.js'
import { proxyFromJson } from './proxy.js'
import { translate } from './translate.js'

// What istiod does that one would not guess: each test is named by the number of the trap in the list that acceptance knows.

// biome-ignore lint/suspicious/noExplicitAny: what came out, as JSON.
type Json = any

const service = (name: string, ip: string, ports: string, more = ''): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}, namespace: shop}\nspec: {clusterIP: ${ip}, selector: {app: ${name}}, ports: [${ports}]${more}}`
const pod = (name: string, ip: string, labels = ''): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}-0, namespace: shop, labels: {app: ${name}${labels}}}\nspec: {serviceAccountName: ${name}}\nstatus: {podIP: ${ip}}`
const slice = (name: string, ports: string, endpoints: string): string =>
  `apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: ${name}-s, namespace: shop, labels: {kubernetes.io/service-name: ${name}}}\naddressType: IPv4\nendpoints: [${endpoints}]\nports: [${ports}]`
const istio = (kind: string, name: string, spec: string, more = ''): string =>
  `apiVersion: ${kind === 'PeerAuthentication' || kind === 'AuthorizationPolicy' ? 'security' : 'networking'}.istio.io/v1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: shop${more}}\nspec: ${spec}`

const TEA = [
  service('tea', '10.0.0.1', '{name: http, port: 80, targetPort: 8080}, {name: tcp, port: 7000}'),
  slice(
    'tea',
    '{name: http, port: 8080}, {name: tcp, port: 7000}',
    '{addresses: [10.1.0.1], conditions: {ready: true}, targetRef: {kind: Pod, name: tea-0, namespace: shop}}',
  ),
  pod('tea', '10.1.0.1', ', security.istio.io/tlsMode: istio'),
]
const HOST = 'tea.shop.svc.cluster.local'

function translated(documents: readonly string[], proxy: object = {}, meshConfig = '{}'): Json {
  const mesh = readMeshConfig(meshConfig)
  const store = createStore({ allocateAddresses: false, meshConfig: mesh.ok ? mesh.value : defaultMeshConfig })
  const read = readYaml(documents.join('\n---\n'), { file: 'trap.yaml' })
  expect(read.diagnostics.filter((d) => d.severity === 'error')).toEqual([])
  store.apply({ set: read.resources })
  const described = proxyFromJson({ id: 'client-0', namespace: 'shop', ip: '10.1.9.9', labels: { app: 'client' }, ...proxy })
  if (!described.ok) throw new Error('proxy')
  return JSON.parse(JSON.stringify(toJson(translate(store.snapshot(), described.value).resources)))
}

const named = (list: Json[], name: string): Json => list.find((one) => (one.name ?? one.cluster_name) === name)
const cluster = (json: Json, port = 80, subset = '', host = HOST): Json =>
  named(json.clusters, `outbound|${port}|${subset}|${host}`)
const hostOf = (json: Json, name = `${HOST}:80`, config = '80'): Json => named(named(json.routes, config).virtual_hosts, name)
const manager = (listener: Json, chain = 0): Json =>
  listener.filter_chains[chain].filters.find((f: Json) => f.name.endsWith('http_connection_manager')).typed_config
const virtualService = (http: string, name = 'tea'): string => istio('VirtualService', name, `{hosts: [tea], http: ${http}}`)
const rule = (spec: string, name = 'tea', more = ''): string => istio('DestinationRule', name, `{host: tea, ${spec}}`, more)

describe('names and order', () => {
  test('trap 1: resources come in one order, whatever the order of events', () => {
    const more = [service('ale', '10.0.0.2', '{name: http, port: 80}'), ...TEA]
    expect(JSON.stringify(translated(more))).toBe(JSON.stringify(translated([...more].reverse())))
  })
  test('trap 2: stat names end in a semicolon', () => {
    const json = translated(TEA)
    expect(cluster(json).alt_stat_name).toBe(`outbound|80||${HOST};`)
    expect(manager(named(json.listeners, '0.0.0.0_80')).stat_prefix).toBe('outbound_0.0.0.0_80;')
  })
  test('trap 3: the host with and without its root dot, no ports, short names only under the own suffix', () => {
    const json = translated(TEA)
    expect(hostOf(json).domains).toEqual(expect.arrayContaining([HOST, `${HOST}.`, 'tea', 'tea.shop', 'tea.shop.svc']))
    expect(hostOf(json).domains.join()).not.toContain(':80')
    expect(named(json.routes, '80').ignore_port_in_host_matching).toBe(true)
    expect(hostOf(translated(TEA, { namespace: 'other' })).domains).not.toContain('tea')
  })
  test('trap 4: a ServiceEntry of several addresses answers to them (here all; istiod draws one)', () => {
    const entry = istio(
      'ServiceEntry',
      'ext',
      '{hosts: [ext.example], addresses: [10.5.0.1, 10.5.0.2], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}',
    )
    expect(hostOf(translated([entry]), 'ext.example:80').domains).toEqual(expect.arrayContaining(['10.5.0.1', '10.5.0.2']))
  })
})

const EDGE = [
  service('edge', '10.0.9.1', '{name: http, port: 80, targetPort: 8080}, {name: https, port: 443, targetPort: 8443}'),
  slice(
    'edge',
    '{name: http, port: 8080}, {name: https, port: 8443}',
    '{addresses: [10.1.9.9], targetRef: {kind: Pod, name: edge-0, namespace: shop}}',
  ),
  pod('edge', '10.1.9.9'),
]
const gateway = (servers: string): string => istio('Gateway', 'gw', `{selector: {app: edge}, servers: ${servers}}`)
const ROUTER = { id: 'edge-0', type: 'router', labels: { app: 'edge' } }
const bound = (hosts: string, rest: string, name = 'v'): string =>
  istio('VirtualService', name, `{hosts: ${hosts}, gateways: [gw], ${rest}}`)
const HTTP_SERVER = '[{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]'

describe('gateways', () => {
  test('trap 5: listeners and RDS by target port, hosts and TLS routes by server port', () => {
    const servers =
      '[{port: {number: 80, name: http, protocol: HTTP}, hosts: [a.example]}, {port: {number: 443, name: https, protocol: HTTPS}, hosts: [a.example], tls: {mode: SIMPLE, credentialName: x}}, {port: {number: 80, name: b, protocol: HTTP}, bind: 10.9.0.10, hosts: [a.example]}]'
    const json = translated(
      [
        ...TEA,
        ...EDGE,
        gateway(servers),
        bound('[a.example]', 'http: [{route: [{destination: {host: tea, port: {number: 80}}}]}]'),
      ],
      ROUTER,
    )
    expect(json.listeners.map((l: Json) => l.name)).toEqual(expect.arrayContaining(['0.0.0.0_8080', '0.0.0.0_8443']))
    expect(json.routes.map((r: Json) => r.name)).toEqual(
      expect.arrayContaining(['http.8080', 'https.443.https.gw.shop', 'http.8080.10.9.0.10']),
    )
    expect(hostOf(json, 'a.example:80', 'http.8080')).toBeDefined()
  })
  test('trap 6: listener.portNumber of an EnvoyFilter is the target port', () => {
    const patch = (port: number): string =>
      `apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {name: f, namespace: shop}\nspec: {configPatches: [{applyTo: LISTENER, match: {listener: {portNumber: ${port}}}, patch: {operation: MERGE, value: {per_connection_buffer_limit_bytes: 7}}}]}`
    const limit = (port: number): number | undefined =>
      named(
        translated(
          [
            ...TEA,
            ...EDGE,
            gateway(HTTP_SERVER),
            bound('["*"]', 'http: [{route: [{destination: {host: tea, port: {number: 80}}}]}]'),
            patch(port),
          ],
          ROUTER,
        ).listeners,
        '0.0.0.0_8080',
      ).per_connection_buffer_limit_bytes
    expect([limit(80), limit(8080)]).toEqual([undefined, 7])
  })
  test('trap 7: a VirtualService of several hosts is one virtual host', () => {
    const json = translated(
      [
        ...TEA,
        ...EDGE,
        gateway(HTTP_SERVER),
        bound('[a.example, b.example]', 'http: [{route: [{destination: {host: tea, port: {number: 80}}}]}]'),
      ],
      ROUTER,
    )
    expect(named(json.routes, 'http.8080').virtual_hosts.map((h: Json) => h.domains.length)).toEqual([2])
  })
  test('trap 14: without routes HTTP keeps a blackhole, TCP has no listener, and httpsRedirect needs none', () => {
    const json = translated(
      [
        ...EDGE,
        gateway(
          '[{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}, {port: {number: 443, name: tcp, protocol: TCP}, hosts: ["*"]}]',
        ),
      ],
      ROUTER,
    )
    expect(json.listeners.map((l: Json) => l.name)).toEqual(['0.0.0.0_8080'])
    expect(named(json.routes, 'http.8080').virtual_hosts).toEqual([{ name: 'blackhole:80', domains: ['*'] }])
    const redirect = translated(
      [...EDGE, gateway('[{port: {number: 80, name: http, protocol: HTTP}, hosts: [a.example], tls: {httpsRedirect: true}}]')],
      ROUTER,
    )
    expect(hostOf(redirect, 'a.example:80', 'http.8080').require_tls).toBe('ALL')
  })
  test('trap 22: gateways merge the VirtualServices of a host, sidecars take the oldest', () => {
    const http = (uri: string): string =>
      `http: [{match: [{uri: {prefix: ${uri}}}], route: [{destination: {host: tea, port: {number: 80}}}]}]`
    const both = (gateways: string): string[] =>
      ['/a', '/b'].map((uri, i) =>
        istio(
          'VirtualService',
          `v${i}`,
          `{hosts: [tea], ${gateways}${http(uri)}}`,
          `, creationTimestamp: "202${i}-01-01T00:00:00Z"`,
        ),
      )
    expect(hostOf(translated([...TEA, ...both('')])).routes.map((r: Json) => r.match.prefix)).toEqual(['/a'])
    const json = translated([...TEA, ...EDGE, gateway(HTTP_SERVER), ...both('gateways: [gw], ')], ROUTER)
    expect(named(json.routes, 'http.8080').virtual_hosts[0].routes.map((r: Json) => r.match.prefix)).toEqual(['/a', '/b'])
  })
  test('trap 30: gateways get every cluster that they see, AUTO_PASSTHROUGH each under its SNI too', () => {
    const json = translated(
      [
        ...TEA,
        ...EDGE,
        gateway('[{port: {number: 443, name: tls, protocol: TLS}, hosts: ["*.local"], tls: {mode: AUTO_PASSTHROUGH}}]'),
      ],
      ROUTER,
    )
    expect(cluster(json)).toBeDefined()
    expect(named(json.clusters, `outbound_.80_._.${HOST}`)).toBeDefined()
  })
  test('CVE-2021-31921: AUTO_PASSTHROUGH lets in the SNI of what is exported to the gateway, and no other', () => {
    const edge = gateway('[{port: {number: 443, name: tls, protocol: TLS}, hosts: ["*.local"], tls: {mode: AUTO_PASSTHROUGH}}]')
    const withAle = (annotations: string): Json => {
      const ale = service('ale', '10.0.0.2', '{name: http, port: 80}').replace(
        'namespace: shop',
        `namespace: other${annotations}`,
      )
      return translated([...TEA, ...EDGE, ale, edge], ROUTER)
    }
    const hidden = withAle(', annotations: {networking.istio.io/exportTo: "."}')
    const listener = hidden.listeners.find((one: Json) => one.address.socket_address.port_value === 8443)
    const names: string[] = listener.filter_chains.flatMap((chain: Json) => chain.filter_chain_match.server_names ?? ['any'])
    expect(names).toContain(`outbound_.80_._.${HOST}`)
    expect(names.filter((name) => !name.startsWith('outbound_.'))).toEqual([])
    expect(JSON.stringify(withAle(''))).toContain('outbound_.80_._.ale.other.svc')
    expect(JSON.stringify(hidden)).not.toContain('ale.other')
  })
})

describe('listeners', () => {
  test('trap 8: HTTP on 0.0.0.0 is a chain for what looks like HTTP, and everything else passes through', () => {
    const listener = named(translated(TEA).listeners, '0.0.0.0_80')
    expect(listener.filter_chains[0].filter_chain_match).toEqual({
      application_protocols: ['http/1.1', 'h2c'],
      transport_protocol: 'raw_buffer',
    })
    expect(listener.default_filter_chain.name).toBe('PassthroughFilterChain')
    expect(listener.continue_on_listener_filters_timeout).toBe(true)
  })
  test('trap 9: headless TCP has a listener for each pod, ready or not; headless HTTP an ORIGINAL_DST cluster', () => {
    const json = translated([
      service('db', 'None', '{name: tcp, port: 5432}, {name: http, port: 80}'),
      slice(
        'db',
        '{name: tcp, port: 5432}, {name: http, port: 80}',
        '{addresses: [10.1.0.7], conditions: {ready: false, serving: false, terminating: false}}',
      ),
    ])
    expect(named(json.listeners, '10.1.0.7_5432')).toBeDefined()
    expect(cluster(json, 80, '', 'db.shop.svc.cluster.local').type).toBe('ORIGINAL_DST')
    expect(json.endpoints).toEqual([])
  })
  test('trap 10: ExternalName gives nothing unless it names a host of the mesh, whose alias it is', () => {
    const external = (target: string): string =>
      service('alias', '""', '{name: http, port: 80}', `, type: ExternalName, externalName: ${target}`)
    expect(JSON.stringify(translated([...TEA, external('elsewhere.example')]))).not.toContain('alias')
    expect(hostOf(translated([...TEA, external(HOST)])).domains).toContain('alias.shop.svc.cluster.local')
  })
  test('trap 11: an egress listener with a port has only services with that very port, or is not made', () => {
    const sidecar = istio(
      'Sidecar',
      's',
      '{egress: [{port: {number: 81, name: http, protocol: HTTP}, hosts: ["./*"]}, {hosts: ["./*"]}]}',
    )
    expect(named(translated([...TEA, sidecar]).listeners, '0.0.0.0_81')).toBeUndefined()
  })
  test('trap 12: without interception listeners bind the loopback, and there are no virtual ones', () => {
    const names = translated(TEA, { metadata: { INTERCEPTION_MODE: 'NONE' } }).listeners.map((l: Json) => l.name)
    expect(names).toContain('127.0.0.1_80')
    expect(names.join()).not.toContain('virtual')
  })
  test('trap 13: a port that only portLevelMtls names has catch-all chains; the oldest policy wins', () => {
    const policy = (name: string, mode: string, year: number): string =>
      istio(
        'PeerAuthentication',
        name,
        `{selector: {matchLabels: {app: client}}, mtls: {mode: ${mode}}, portLevelMtls: {"9999": {mode: DISABLE}}}`,
        `, creationTimestamp: "${year}-01-01T00:00:00Z"`,
      )
    const inbound = named(
      translated([policy('young', 'PERMISSIVE', 2030), policy('old', 'STRICT', 2020)]).listeners,
      'virtualInbound',
    )
    const chains = inbound.filter_chains.filter((c: Json) => c.filter_chain_match?.destination_port === 9999)
    expect(chains.map((c: Json) => c.name)).toEqual(expect.arrayContaining(['virtualInbound', 'virtualInbound-catchall-http']))
    expect(
      inbound.filter_chains.some(
        (c: Json) =>
          c.filter_chain_match?.destination_port === undefined && c.filter_chain_match?.transport_protocol === 'raw_buffer',
      ),
    ).toBe(false)
  })
  test('trap 15: istio.stats only by defaultProviders; istio.alpn outbound, never inbound', () => {
    const text = (mesh: string): string => JSON.stringify(translated(TEA, {}, mesh).listeners)
    expect(text('{}')).not.toContain('istio.stats')
    expect(text('{defaultProviders: {metrics: [prometheus]}}')).toContain('istio.stats')
    const json = translated(TEA)
    expect(JSON.stringify(named(json.listeners, '0.0.0.0_80'))).toContain('istio.alpn')
    expect(JSON.stringify(named(json.listeners, 'virtualInbound'))).not.toContain('istio.alpn')
  })
})

describe('routes', () => {
  test('trap 16: max_grpc_timeout repeats timeout; the default retries stand on every route but allow_any', () => {
    const json = translated(TEA)
    const { route } = hostOf(json).routes[0]
    expect([route.timeout, route.max_grpc_timeout, route.retry_policy.num_retries]).toEqual(['0s', '0s', 2])
    expect(hostOf(json).include_request_attempt_count).toBe(true)
    expect(named(named(json.routes, '80').virtual_hosts, 'allow_any').routes[0].route.retry_policy).toBeUndefined()
    const hashed = translated([
      ...TEA,
      rule('trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x}}}'),
      virtualService('[{route: [{destination: {host: tea}}]}]'),
    ])
    expect(hostOf(hashed).routes[0].route.retry_policy.retry_host_predicate).toBeUndefined()
  })
  test('trap 17: weight 0 is dropped, what remains stays weighted', () => {
    const json = translated([
      ...TEA,
      virtualService('[{route: [{destination: {host: tea}, weight: 100}, {destination: {host: other.example}, weight: 0}]}]'),
    ])
    expect(hostOf(json).routes[0].route.weighted_clusters.clusters).toHaveLength(1)
  })
  test('trap 18: mirrors keep the host; all of them have no denominator, 0 % is no mirror', () => {
    const mirrored = (value?: number): Json =>
      hostOf(
        translated([
          ...TEA,
          virtualService(
            `[{route: [{destination: {host: tea}}], mirror: {host: tea}, ${value === undefined ? '' : `mirrorPercentage: {value: ${value}}`}}]`,
          ),
        ]),
      ).routes[0].route.request_mirror_policies
    expect(mirrored()[0]).toMatchObject({
      disable_shadow_host_suffix_append: true,
      runtime_fraction: { default_value: { numerator: 100 } },
    })
    expect(mirrored()[0].runtime_fraction.default_value.denominator).toBeUndefined()
    expect(mirrored(5)[0].runtime_fraction.default_value).toEqual({ numerator: 50000, denominator: 'MILLION' })
    expect(mirrored(0)).toBeUndefined()
  })
  test('trap 19: path_redirect is always written; the default port of a scheme is not', () => {
    const redirected = (spec: string): Json =>
      hostOf(translated([...TEA, virtualService(`[{redirect: ${spec}}]`)])).routes[0].redirect
    expect(redirected('{authority: a}').path_redirect).toBe('')
    expect(redirected('{scheme: https, port: 443}').port_redirect).toBeUndefined()
    expect(redirected('{authority: a, derivePort: FROM_REQUEST_PORT}').port_redirect).toBeUndefined()
  })
  test('trap 20: rewrite.uri is prefix_rewrite on regular expressions too; case_sensitive on matched routes only', () => {
    const { routes } = hostOf(
      translated([
        ...TEA,
        virtualService(
          '[{match: [{uri: {regex: "/a.*"}}], rewrite: {uri: /b}, route: [{destination: {host: tea}}]}, {route: [{destination: {host: tea}}]}]',
        ),
      ]),
    )
    expect(routes[0].route.prefix_rewrite).toBe('/b')
    expect(routes.map((r: Json) => r.match.case_sensitive)).toEqual([true, undefined])
  })
  test('trap 21: a route to what does not exist names it all the same', () => {
    const json = translated([...TEA, virtualService('[{route: [{destination: {host: tea, subset: none}}]}]')])
    expect(hostOf(json).routes[0].route.cluster).toBe(`outbound|80|none|${HOST}`)
    expect(named(json.routes, '80').validate_clusters).toBe(false)
  })
  test('trap 23: routes are called rule.match, or by the rule, or default', () => {
    const { routes } = hostOf(
      translated([
        ...TEA,
        virtualService(
          '[{name: r, match: [{name: m, uri: {prefix: /a}}, {uri: {prefix: /b}}], route: [{destination: {host: tea}}]}]',
        ),
      ]),
    )
    expect(routes.map((r: Json) => r.name)).toEqual(['r.m', 'r'])
    expect(hostOf(translated(TEA)).routes[0].name).toBe('default')
  })
})

describe('clusters', () => {
  test('trap 24: settings of a port replace everything', () => {
    const json = translated([
      ...TEA,
      rule(
        'trafficPolicy: {loadBalancer: {simple: RANDOM}, outlierDetection: {consecutive5xxErrors: 3}, connectionPool: {tcp: {connectTimeout: 1s}}, portLevelSettings: [{port: {number: 80}, connectionPool: {http: {maxRetries: 1}}}]}',
      ),
    ])
    const { lb_policy, outlier_detection, connect_timeout } = cluster(json)
    expect([lb_policy, outlier_detection, connect_timeout]).toEqual(['LEAST_REQUEST', undefined, '10s'])
    expect(cluster(json, 7000).lb_policy).toBe('RANDOM')
  })
  test('trap 25: rules that are exported otherwise do not merge: of those for all workloads the last hides the others', () => {
    const seen = (plain: string, named: string): boolean[] => {
      const rules = [rule('subsets: [{name: a}]', plain), rule('exportTo: [other], subsets: [{name: b}]', named)]
      const json = translated([...TEA, ...rules], { namespace: 'other' })
      return [cluster(json, 80, 'a'), cluster(json, 80, 'b')].map((c) => c !== undefined)
    }
    expect(seen('first', 'second')).toEqual([false, true])
    expect(seen('second', 'first')).toEqual([true, false])
  })
  test('trap 26: outlierDetection: {} only switches success rate off; panic is 0 unless asked for', () => {
    expect(cluster(translated([...TEA, rule('trafficPolicy: {outlierDetection: {}}')])).outlier_detection).toEqual({
      enforcing_success_rate: 0,
    })
    const counted = cluster(
      translated([...TEA, rule('trafficPolicy: {outlierDetection: {consecutiveGatewayErrors: 2, minHealthPercent: 30}}')]),
    )
    expect(counted.outlier_detection).toMatchObject({
      consecutive_gateway_failure: 2,
      enforcing_consecutive_gateway_failure: 100,
    })
    expect(counted.common_lb_config.healthy_panic_threshold).toEqual({ value: 30 })
    expect(cluster(translated(TEA)).common_lb_config.healthy_panic_threshold).toEqual({})
  })
  test('trap 27: the aggression of a warm-up has a runtime key', () => {
    const json = translated([...TEA, rule('trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN, warmup: {duration: 10s}}}')])
    expect(cluster(json).round_robin_lb_config.slow_start_config.aggression).toEqual({ default_value: 1, runtime_key: '(' })
  })
  test('trap 28: TLS without a CA is the system’s, by SDS', () => {
    const { transport_socket } = cluster(translated([...TEA, rule('trafficPolicy: {tls: {mode: SIMPLE}}')]))
    expect(JSON.stringify(transport_socket)).toContain('"name":"file-root:system"')
  })
  test('trap 29: inbound clusters go to the original destination, but a Sidecar’s defaultEndpoint', () => {
    const json = translated([
      ...TEA,
      istio(
        'Sidecar',
        's',
        '{ingress: [{port: {number: 81, name: http, protocol: HTTP}, defaultEndpoint: "127.0.0.1:9"}], egress: [{hosts: ["./*"]}]}',
      ),
    ])
    expect(named(json.clusters, 'inbound|81||').type).toBe('STATIC')
    const inbound = named(translated(TEA, { ip: '10.1.0.1', labels: { app: 'tea' } }).clusters, 'inbound|8080||')
    expect(inbound).toMatchObject({
      type: 'ORIGINAL_DST',
      cleanup_interval: '9223372035s',
      upstream_bind_config: { source_address: { address: '127.0.0.6' } },
    })
  })
  test('trap 31: allocated addresses count only for proxies that answer DNS', () => {
    const entry = `${istio('ServiceEntry', 'ext', '{hosts: [ext.example], ports: [{number: 9000, name: tcp, protocol: TCP}], resolution: DNS}')}\nstatus: {addresses: [{value: 240.240.0.9, host: ext.example}]}`
    const names = (metadata: object): string[] => translated([entry], { metadata }).listeners.map((l: Json) => l.name)
    expect(names({ DNS_CAPTURE: 'true' })).toContain('240.240.0.9_9000')
    expect(names({})).toContain('0.0.0.0_9000')
  })
})

describe('endpoints', () => {
  test('trap 32: health where Kubernetes tells it, weight, workload, tlsMode by the pod’s label', () => {
    const [locality] = named(translated(TEA).endpoints, `outbound|80||${HOST}`).endpoints
    expect(locality.lb_endpoints[0]).toMatchObject({ health_status: 'HEALTHY', load_balancing_weight: 1 })
    expect(locality.lb_endpoints[0].metadata.filter_metadata['envoy.transport_socket_match']).toEqual({ tlsMode: 'istio' })
    expect(locality.load_balancing_weight).toBe(1)
    const entry = istio(
      'ServiceEntry',
      'ext',
      '{hosts: [ext.example], ports: [{number: 80, name: http, protocol: HTTP}], resolution: STATIC, endpoints: [{address: 1.1.1.1}]}',
    )
    expect(
      named(translated([entry]).endpoints, 'outbound|80||ext.example').endpoints[0].lb_endpoints[0].health_status,
    ).toBeUndefined()
  })
  test('trap 33: failover needs outlier detection', () => {
    const locality = (policy: string): unknown[] =>
      named(
        translated(
          [
            istio(
              'ServiceEntry',
              'tea',
              '{hosts: [tea.ext], location: MESH_INTERNAL, ports: [{number: 80, name: http, protocol: HTTP}], resolution: STATIC, endpoints: [{address: 1.1.1.1, locality: a}, {address: 1.1.1.2, locality: b}]}',
            ),
            istio('DestinationRule', 'd', `{host: tea.ext, trafficPolicy: ${policy}}`),
          ],
          { locality: 'b' },
        ).endpoints,
        'outbound|80||tea.ext',
      ).endpoints.map((e: Json) => e.priority)
    expect(locality('{loadBalancer: {localityLbSetting: {failover: [{from: b, to: a}]}}}')).toEqual([undefined, undefined])
    expect(locality('{outlierDetection: {}, loadBalancer: {localityLbSetting: {failover: [{from: b, to: a}]}}}')).toEqual([
      1,
      undefined,
    ])
  })
  test('trap 34: other networks are reached through their gateways, with mTLS only; weights grow with their number', () => {
    const networks = `apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data: {meshNetworks: "networks: {far: {endpoints: [{fromCidr: 192.0.2.0/24}], gateways: [{address: 198.51.100.1, port: 15443}, {address: 198.51.100.2, port: 15443}]}}"}`
    const entry = istio(
      'ServiceEntry',
      'tea',
      '{hosts: [tea.ext], location: MESH_INTERNAL, ports: [{number: 80, name: http, protocol: HTTP}], resolution: STATIC, endpoints: [{address: 1.1.1.1, network: near}, {address: 2.2.2.2, network: far, labels: {security.istio.io/tlsMode: istio}}, {address: 2.2.2.3, network: far}]}',
    )
    const json = translated([networks, entry], { network: 'near' })
    const endpoints: Json[] = named(json.endpoints, 'outbound|80||tea.ext').endpoints[0].lb_endpoints
    expect(endpoints.map((e) => [e.endpoint.address.socket_address.address, e.load_balancing_weight])).toEqual([
      ['1.1.1.1', 2],
      ['198.51.100.1', 1],
      ['198.51.100.2', 1],
    ])
    expect(endpoints[1].metadata.filter_metadata.istio.workload).toBe(';;;;')
  })
})

describe('security', () => {
  const filters = (policy: string, port = '0.0.0.0_8080', mesh = '{}'): Json[] =>
    named(translated([...TEA, policy], { ip: '10.1.0.1', labels: { app: 'tea' } }, mesh).listeners, 'virtualInbound')
      .filter_chains.filter((c: Json) => c.name === port)
      .flatMap((c: Json) =>
        port.endsWith('7000') ? c.filters : c.filters.flatMap((f: Json) => f.typed_config.http_filters ?? []),
      )
      .filter((f: Json) => f.name.includes('rbac'))
  test('trap 35: CUSTOM with an unknown provider denies', () => {
    const text = JSON.stringify(
      filters(istio('AuthorizationPolicy', 'p', '{action: CUSTOM, provider: {name: nobody}, rules: [{}]}')),
    )
    expect(text).toContain('deny-due-to-bad-CUSTOM-action')
    expect(text).toContain('"action":"DENY"')
  })
  test('trap 36: an ALLOW without rules lets nobody in', () => {
    const [filter] = filters(istio('AuthorizationPolicy', 'p', '{}'))
    expect(filter.typed_config.rules.policies['ns[shop]-policy[p]-rule[0]']).toEqual({
      permissions: [{ not_rule: { any: true } }],
      principals: [{ not_id: { any: true } }],
    })
  })
  test('trap 37: on TCP an HTTP field takes an ALLOW rule away and leaves a DENY without it', () => {
    const policy = (action: string): string =>
      istio('AuthorizationPolicy', 'p', `{action: ${action}, rules: [{to: [{operation: {methods: [GET], ports: ["7000"]}}]}]}`)
    expect(filters(policy('ALLOW'), '0.0.0.0_7000')[0].typed_config.rules.policies).toBeUndefined()
    expect(JSON.stringify(filters(policy('DENY'), '0.0.0.0_7000')[0].typed_config.rules.policies)).toContain(
      '"destination_port":7000',
    )
  })
})

describe('configuration', () => {
  test('trap 41: ProxyConfig comes by the node’s PROXY_CONFIG, not by the resource', () => {
    const resource =
      'apiVersion: networking.istio.io/v1beta1\nkind: ProxyConfig\nmetadata: {name: p, namespace: istio-system}\nspec: {concurrency: 3}'
    expect(JSON.stringify(translated([...TEA, resource]))).toBe(JSON.stringify(translated(TEA)))
    const json = translated(TEA, { metadata: { PROXY_CONFIG: { proxyHeaders: { attemptCount: { disabled: true } } } } })
    expect(hostOf(json).include_request_attempt_count).toBeUndefined()
  })
})
