import { formatDiagnostic } from '@heddle/runtime'
import { describe, expect, it } from 'vitest'
import { readYaml } from '../read.js'
import { createStore, type Store, type StoreOptions } from '../store.js'
import { ruleFor } from './destination-rules.js'
import { serviceFor } from './hosts.js'
import { allOf, levelsOf, mergedProxyConfig, mutualTlsMode, scopesOf } from './policies.js'
import { scopeFor, seesService, seesVirtualService } from './sidecar-scopes.js'
import { sidecarRules } from './virtual-hosts.js'
import { gatewayName } from './virtual-services.js'

const GROUPS: Readonly<Record<string, string>> = {
  VirtualService: 'networking.istio.io/v1',
  DestinationRule: 'networking.istio.io/v1',
  Sidecar: 'networking.istio.io/v1',
  ServiceEntry: 'networking.istio.io/v1',
  ProxyConfig: 'networking.istio.io/v1beta1',
  PeerAuthentication: 'security.istio.io/v1',
  AuthorizationPolicy: 'security.istio.io/v1',
  Service: 'v1',
  Namespace: 'v1',
}

/** `Kind namespace/name spec`; the nth is the nth oldest. */
function storeOf(objects: readonly (readonly [kind: string, name: string, spec: string])[], options: StoreOptions = {}): Store {
  const text = objects.map(([kind, key, spec], i) => {
    const [namespace, name] = key.split('/')
    const time = `2024-01-01T00:00:${String(i).padStart(2, '0')}Z`
    return `apiVersion: ${GROUPS[kind]}\nkind: ${kind}\nmetadata: {name: ${name}, namespace: ${namespace}, creationTimestamp: "${time}"}\nspec: ${spec}\n`
  })
  const { resources, diagnostics } = readYaml(text.join('---\n'), { file: 'f' })
  expect(diagnostics.filter(({ severity }) => severity === 'error').map(formatDiagnostic)).toEqual([])
  const store = createStore(options)
  store.apply({ set: resources })
  return store
}

const route = (host: string): string => `{route: [{destination: {host: ${host}}}]}`
const to = (http: { route?: readonly { destination: { host: string } }[] }): string | undefined =>
  http.route?.[0]?.destination.host

describe('VirtualServices', () => {
  it('have names resolved, and the rules of delegates under their own', () => {
    const { collections } = storeOf([
      [
        'VirtualService',
        'shop/root',
        '{hosts: [Tea], gateways: [mesh, edge, other/edge, edge.far.svc.cluster.local], http: [{name: r, match: [{uri: {prefix: /a}}], delegate: {name: part, namespace: parts}, timeout: 2s}]}',
      ],
      [
        'VirtualService',
        'parts/part',
        '{http: [{name: c, match: [{uri: {prefix: /a/b}}], route: [{destination: {host: leaf}}]}, {match: [{uri: {prefix: /a}}, {uri: {exact: /z}}], route: [{destination: {host: leaf}}]}]}',
      ],
    ])
    expect([...collections.virtualServices.entries()].map(([key]) => key)).toEqual(['shop/root'])
    expect(collections.virtualServices.get('shop/root')).toMatchObject({
      hosts: ['tea.shop.svc.cluster.local'],
      gateways: ['mesh', 'shop/edge', 'other/edge', 'far/edge'],
      http: [
        {
          path: 'spec.http[0]',
          source: { metadata: { name: 'part' } },
          http: {
            name: 'r-c',
            timeout: 2000,
            match: [{ uri: { prefix: '/a/b' } }],
            route: [{ destination: { host: 'leaf.parts.svc.cluster.local' } }],
          },
        },
      ],
    })
  })

  it('are delegates only where they are exported to, and say themselves what the root says, too', () => {
    const delegated = (part: string): unknown => {
      const { collections } = storeOf([
        [
          'VirtualService',
          'shop/root',
          '{hosts: [tea], http: [{delegate: {name: part, namespace: parts}, timeout: 2s, retries: {attempts: 5}}]}',
        ],
        ['VirtualService', 'parts/part', part],
      ])
      const http = collections.virtualServices.get('shop/root')?.http[0]?.http
      return http && [http.timeout, http.retries?.attempts]
    }
    const rule = '{timeout: 1s, route: [{destination: {host: leaf}}]}'
    expect(delegated(`{http: [${rule}]}`)).toEqual([1000, 5])
    expect(delegated(`{exportTo: [shop], http: [${rule}]}`)).toEqual([1000, 5])
    expect(delegated(`{exportTo: [.], http: [${rule}]}`)).toBeUndefined()
  })

  it.each([
    ['mesh', 'mesh'],
    ['gw', 'shop/gw'],
    ['./gw', 'shop/gw'],
    ['edge/gw', 'edge/gw'],
    ['gw.edge.svc.cluster.local', 'edge/gw'],
  ])('call %s the gateway %s', (text, want) => {
    expect(gatewayName(text, 'shop')).toBe(want)
  })

  const TWICE = [
    [
      'VirtualService',
      'b/old',
      `{hosts: [x.example], http: [{match: [{uri: {prefix: /old}}], route: [{destination: {host: old}}]}, ${route('catch')}]}`,
    ],
    [
      'VirtualService',
      'a/new',
      `{hosts: [x.example], http: [{match: [{uri: {prefix: /new}}], route: [{destination: {host: new}}]}, ${route('rest')}]}`,
    ],
    ['VirtualService', 'c/own', `{hosts: [x.example], exportTo: ["."], http: [${route('own')}]}`],
  ] as const
  it('of one host: the oldest counts for sidecars, and the others are told', () => {
    const { virtualHosts } = storeOf(TWICE).collections
    const host = virtualHosts.sidecar.get('x.example')!
    expect(sidecarRules(host, 'c', [], 'oldest').map(({ http }) => to(http))).toEqual([
      'old.b.svc.cluster.local',
      'catch.b.svc.cluster.local',
    ])
    expect(virtualHosts.losers.get('x.example')?.map(formatDiagnostic)).toEqual([
      expect.stringMatching(/^warning config\.host_taken VirtualService a\/new spec\.hosts: .*VirtualService b\/old is older/),
      expect.stringMatching(/^warning config\.host_taken VirtualService c\/own spec\.hosts: .*VirtualService b\/old is older/),
    ])
  })
  it('of one host are no losers where no proxy sees both', () => {
    const { virtualHosts } = storeOf([
      ['VirtualService', 'a/x', `{hosts: [x.example], exportTo: ["."], http: [${route('one')}]}`],
      ['VirtualService', 'b/x', `{hosts: [x.example], exportTo: ["."], http: [${route('two')}]}`],
    ]).collections
    expect(virtualHosts.losers.size).toBe(0)
    const host = virtualHosts.sidecar.get('x.example')!
    expect(sidecarRules(host, 'b', [], 'oldest').map(({ http }) => to(http))).toEqual(['two.b.svc.cluster.local'])
    expect(sidecarRules(host, 'c', [], 'oldest')).toEqual([])
  })
  it('ISTIO-SECURITY-2026-002: of a foreign host stay in their namespace where the mesh exports nothing, and the loser is told', () => {
    const host = 'pay.bank.svc.cluster.local'
    const stolen = [
      'VirtualService',
      'evil/pay',
      `{hosts: [${host}], gateways: [mesh], http: [${route('evil.evil.svc.x')}]}`,
    ] as const
    const own = ['VirtualService', 'bank/pay', `{hosts: [${host}], http: [${route('pay')}]}`] as const
    const seen = (from: string, fallback: readonly string[], ...all: (typeof stolen | typeof own)[]): unknown => {
      const { sidecar } = storeOf(all).collections.virtualHosts
      return sidecarRules(sidecar.get(host)!, from, fallback, 'oldest').map(({ http }) => to(http))
    }
    expect(seen('shop', ['.'], stolen)).toEqual([])
    expect(seen('bank', ['.'], stolen)).toEqual([])
    expect(seen('evil', ['.'], stolen)).toEqual(['evil.evil.svc.x'])
    expect(seen('bank', ['.'], stolen, own)).toEqual(['pay.bank.svc.cluster.local'])
    expect(seen('shop', [], own, stolen)).toEqual(['pay.bank.svc.cluster.local'])
    expect(storeOf([own, stolen]).collections.virtualHosts.losers.get(host)?.map(formatDiagnostic)).toEqual([
      expect.stringMatching(/^warning config\.host_taken VirtualService evil\/pay spec\.hosts: /),
    ])
  })
  it('of one host merge by option, what matches everything last, and nobody loses', () => {
    const { virtualHosts } = storeOf(TWICE, { sidecarHosts: 'merge' }).collections
    const host = virtualHosts.sidecar.get('x.example')!
    expect(sidecarRules(host, 'd', [], 'merge').map(({ http }) => to(http))).toEqual([
      'old.b.svc.cluster.local',
      'new.a.svc.cluster.local',
      'catch.b.svc.cluster.local',
      'rest.a.svc.cluster.local',
    ])
    expect(virtualHosts.losers.size).toBe(0)
  })
  it('of one gateway and host come together, oldest first', () => {
    const { virtualHosts } = storeOf([
      ['VirtualService', 'z/old', `{hosts: [x.example], gateways: [infra/edge], http: [${route('one')}]}`],
      ['VirtualService', 'a/new', `{hosts: [x.example, y.example], gateways: [infra/edge], http: [${route('two')}]}`],
    ]).collections
    const names = (key: string): unknown =>
      virtualHosts.gateway.get(key)?.virtualServices.map(({ resource }) => resource.metadata.name)
    expect([names('infra/edge x.example'), names('infra/edge y.example')]).toEqual([['old', 'new'], ['new']])
    expect(virtualHosts.sidecar.size).toBe(0)
  })
})

describe('DestinationRules', () => {
  const rules = [
    [
      'DestinationRule',
      'svc/one',
      '{host: tea, trafficPolicy: {connectionPool: {tcp: {maxConnections: 1}}}, subsets: [{name: v1, labels: {v: "1"}}]}',
    ],
    [
      'DestinationRule',
      'svc/two',
      '{host: tea.svc.svc.cluster.local, trafficPolicy: {connectionPool: {tcp: {maxConnections: 2}}}, subsets: [{name: v1, labels: {v: x}}, {name: v2, labels: {v: "2"}}]}',
    ],
    ['DestinationRule', 'svc/wild', '{host: "*.svc.svc.cluster.local", subsets: [{name: wild, labels: {v: w}}]}'],
    ['DestinationRule', 'svc/named', '{host: tea, exportTo: [near], subsets: [{name: named, labels: {v: named}}]}'],
    [
      'DestinationRule',
      'client/own',
      '{host: tea.svc.svc.cluster.local, workloadSelector: {matchLabels: {app: a}}, subsets: [{name: mine, labels: {v: m}}]}',
    ],
    ['DestinationRule', 'istio-system/root', '{host: "*.example", subsets: [{name: root, labels: {v: r}}]}'],
  ] as const
  it.each([
    ["the service's namespace: merged, the oldest first", 'other', {}, 'tea.svc.svc.cluster.local', 1, ['v1=1', 'v2=2']],
    ['exported to the client by name: that one alone', 'near', {}, 'tea.svc.svc.cluster.local', undefined, ['named=named']],
    ["the client's own for chosen workloads", 'client', { app: 'a' }, 'tea.svc.svc.cluster.local', undefined, ['mine=m']],
    ['not for workloads that it does not choose', 'client', { app: 'b' }, 'tea.svc.svc.cluster.local', 1, ['v1=1', 'v2=2']],
    ['a wildcard where nothing is closer', 'other', {}, 'milk.svc.svc.cluster.local', undefined, ['wild=w']],
    ['the root namespace last', 'other', {}, 'x.example', undefined, ['root=r']],
    ['none', 'other', {}, 'x.test', undefined, undefined],
  ])('%s', (_name, namespace, labels, hostname, maxConnections, subsets) => {
    const { destinationRules } = storeOf(rules).collections
    const found = ruleFor(
      { hostname, serviceNamespace: 'svc', namespace, labels, rootNamespace: 'istio-system', fallback: [] },
      (home) => [...destinationRules.entries()].map(([, entry]) => entry).filter((entry) => entry.namespace === home),
    )
    expect(found?.trafficPolicy?.connectionPool?.tcp?.maxConnections).toBe(maxConnections)
    expect(found?.subsets.map(({ subset }) => `${subset.name}=${subset.labels?.['v']}`)).toEqual(subsets)
  })
})

describe('visibility', () => {
  const service = (name: string, more = ''): [string, string, string] => [
    'ServiceEntry',
    name,
    `{hosts: [x.example], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]${more}}`,
  ]
  it.each([
    ['a', 'a/se'],
    ['b', 'b/se'],
    ['c', 'a/se'],
    ['d', 'a/se'],
  ])('in %s a host is the service of %s', (namespace, wanted) => {
    const { hosts } = storeOf([service('a/se'), service('b/se'), service('c/se', ', exportTo: ["~"]')]).collections
    expect(serviceFor(hosts.get('x.example'), namespace, [])?.source).toBe(`ServiceEntry ${wanted}`)
  })

  it('of a Sidecar: its imports, in the namespace of the proxy', () => {
    const store = storeOf([
      ['Service', 'a/tea', '{ports: [{name: http, port: 80}]}'],
      ['Service', 'b/tea', '{ports: [{name: http, port: 80}]}'],
      ['VirtualService', 'b/tea', `{hosts: [tea], http: [${route('tea')}]}`],
      ['Sidecar', 'istio-system/all', '{egress: [{hosts: ["./*"]}]}'],
      [
        'Sidecar',
        'b/chosen',
        '{workloadSelector: {labels: {app: x}}, egress: [{hosts: ["a/*", "b/milk.b.svc.cluster.local"]}], outboundTrafficPolicy: {mode: REGISTRY_ONLY}}',
      ],
    ])
    const { sidecarScopes, virtualServices } = store.collections
    const { meshConfig, services } = store.snapshot()
    const scopes = [...sidecarScopes.entries()].map(([, scope]) => scope)
    const seen = (namespace: string, labels = {}): readonly string[] => {
      const scope = scopeFor(scopes, namespace, labels, meshConfig)
      const own = services.filter((one) => seesService(scope, namespace, one)).map((one) => one.namespace)
      return seesVirtualService(scope, namespace, virtualServices.get('b/tea')!) ? [...own, 'vs'] : own
    }
    expect(seen('a')).toEqual(['a'])
    expect(seen('b')).toEqual(['b', 'vs'])
    expect(seen('b', { app: 'x' })).toEqual(['a'])
    expect(seen('c')).toEqual([])
    expect(scopeFor(scopes, 'b', { app: 'x' }, meshConfig).outboundTrafficPolicy.mode).toBe('REGISTRY_ONLY')
  })

  it("follows discoverySelectors, and their namespaces' labels, back and forth", () => {
    const namespace = (name: string, labels: string): string =>
      `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}, labels: {${labels}}}\n`
    const config =
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata: {mesh: "discoverySelectors: [{matchExpressions: [{key: env, operator: In, values: [prod]}]}]"}\n'
    const service = (home: string): string =>
      `apiVersion: v1\nkind: Service\nmetadata: {name: tea, namespace: ${home}}\nspec: {ports: [{name: http, port: 80}]}\n`
    const read = (...texts: string[]) => readYaml(texts.join('---\n'), { file: 'f' }).resources
    const store = createStore()
    const homes = (): readonly string[] => store.snapshot().services.map((one) => one.namespace)
    store.apply({ set: read(service('a'), service('b'), namespace('a', 'env: prod'), namespace('b', '')) })
    expect(homes()).toEqual(['a', 'b'])
    store.apply({ set: read(config) })
    expect(homes()).toEqual(['a'])
    const revision = store.apply({ set: read(service('b').replace('80', '81')) })
    expect(store.apply({ set: read(namespace('b', 'env: prod'), namespace('a', '')) })).toBe(revision + 1)
    expect(homes()).toEqual(['b'])
    expect(store.snapshot().services[0]?.ports[0]?.number).toBe(81)
    store.remove('Service a/tea', 'ConfigMap istio-system/istio')
    expect(homes()).toEqual(['b'])
  })
})

describe('policies', () => {
  const modes = [
    ['PeerAuthentication', 'istio-system/mesh', '{mtls: {mode: STRICT}}'],
    ['PeerAuthentication', 'istio-system/chosen', '{selector: {matchLabels: {app: a}}, mtls: {mode: DISABLE}}'],
    ['PeerAuthentication', 'a/wide', '{mtls: {mode: PERMISSIVE}}'],
    ['PeerAuthentication', 'a/wide-2', '{mtls: {mode: DISABLE}}'],
    ['PeerAuthentication', 'a/one', '{selector: {matchLabels: {app: a}}, portLevelMtls: {80: {mode: DISABLE}}}'],
  ] as const
  it.each([
    ['a', { app: 'a' }, 80, 'DISABLE'],
    ['a', { app: 'a' }, 81, 'PERMISSIVE'],
    ['a', {}, 80, 'PERMISSIVE'],
    ['b', { app: 'a' }, 80, 'STRICT'],
    ['istio-system', { app: 'a' }, 80, 'DISABLE'],
    ['istio-system', {}, 80, 'STRICT'],
  ] as const)('mTLS in %s of %o at %i: %s', (namespace, labels, port, wanted) => {
    const { peerAuthentications } = storeOf(modes).collections.policies
    expect(mutualTlsMode(levelsOf(scopesOf(peerAuthentications, namespace, 'istio-system'), labels), port)).toBe(wanted)
  })

  it('of authorization apply together; selectors of the root namespace count everywhere', () => {
    const { authorizationPolicies } = storeOf([
      ['AuthorizationPolicy', 'a/ns', '{}'],
      ['AuthorizationPolicy', 'a/other', '{selector: {matchLabels: {app: b}}}'],
      ['AuthorizationPolicy', 'istio-system/chosen', '{selector: {matchLabels: {app: a}}}'],
      ['AuthorizationPolicy', 'a/gateway', '{targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: g}]}'],
    ]).collections.policies
    const names = (labels: Record<string, string>): unknown =>
      allOf(scopesOf(authorizationPolicies, 'a', 'istio-system'), labels).map(({ metadata }) => metadata.name)
    expect([names({ app: 'a' }), names({ app: 'b' }), names({})]).toEqual([['chosen', 'ns'], ['ns', 'other'], ['ns']])
  })

  it('ProxyConfigs merge field by field', () => {
    const { proxyConfigs } = storeOf([
      ['ProxyConfig', 'istio-system/mesh', '{concurrency: 1, environmentVariables: {A: root, B: root}}'],
      ['ProxyConfig', 'a/ns', '{image: {imageType: debug}, environmentVariables: {B: ns}}'],
      ['ProxyConfig', 'a/one', '{selector: {matchLabels: {app: a}}, concurrency: 3}'],
    ]).collections.policies
    expect(mergedProxyConfig(levelsOf(scopesOf(proxyConfigs, 'a', 'istio-system'), { app: 'a' }))).toEqual({
      concurrency: 3,
      image: { imageType: 'debug' },
      environmentVariables: { A: 'root', B: 'ns' },
    })
  })
})
