import { createStore, readYaml, type Store } from '@heddle/config-model'
import type { ResourceSet } from '@heddle/xds-types'
import { describe, expect, test } from 'vitest'
import { toJson } from '../output.js'
import { type NodeMessage, type ProxyDescriptor, proxyFromNode } from '../proxy.js'
import { translate } from '../translate.js'
import { createTranslator, type Translator } from './translator.js'

const service = (name: string, address: string): string => `
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {clusterIP: ${address}, selector: {app: ${name}}, ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ${name}-1, namespace: shop, labels: {kubernetes.io/service-name: ${name}}}
addressType: IPv4
ports: [{name: http, port: 8080}]
endpoints: [{addresses: [10.1.${address.slice(-1)}.1]}]
---`
const MESH = service('tea', '10.9.0.1') + service('cake', '10.9.0.2')

function apply(store: Store, yaml: string): void {
  store.apply({ set: readYaml(yaml, { file: 'mesh.yaml' }).resources })
}

function meshOf(yaml: string): { store: Store; translator: Translator } {
  const store = createStore()
  apply(store, yaml)
  const translator = createTranslator(store.snapshot())
  store.subscribe(translator.update)
  return { store, translator }
}

function replica(number: number, metadata: object = {}, labels: object = { app: 'tea' }): ProxyDescriptor {
  const [ip, id] = [`10.0.0.${number}`, `tea-${number}`]
  const read = proxyFromNode({
    id: `sidecar~${ip}~${id}.shop~shop.svc.cluster.local`,
    metadata: { LABELS: labels, NAME: id, INSTANCE_IPS: ip, NAMESPACE: 'shop', ...metadata },
  } as NodeMessage)
  if (!read.ok) throw new Error('not a proxy')
  return read.value
}

const named = (set: ResourceSet, start: string): object | undefined => set.groups.find(({ id }) => id.startsWith(start))

/** The policies of the first RBAC filter. */
function policiesOf(set: ResourceSet): Record<string, unknown> {
  let found: Record<string, unknown> | undefined
  JSON.stringify([...set.groups.flatMap(({ resources }) => [...resources.values()])], (key, value) => {
    if (key === 'policies') found ??= value
    return value
  })
  return found ?? {}
}

describe('proxies that see the same', () => {
  test('hold the very same groups', () => {
    const { translator } = meshOf(MESH)
    const [one, other] = [translator.watch(replica(1)).current, translator.watch(replica(2)).current]
    expect(one.groups.length).toBeGreaterThan(4)
    expect(other.groups.map((group, i) => group === one.groups[i])).toEqual(one.groups.map(() => true))
  })

  test('hold as much in common as is alike', () => {
    const { translator } = meshOf(MESH)
    const one = translator.watch(replica(1)).current
    const far = translator.watch(replica(2, { CLUSTER_ID: 'away' })).current
    expect(named(far, 'outbound routes')).toBe(named(one, 'outbound routes'))
    expect(named(far, 'outbound listeners')).not.toBe(named(one, 'outbound listeners'))
  })

  test.each<[string, object, object]>([
    ['labels that a route asks for', {}, { app: 'cake' }],
    ['no Istio filters', { HEDDLE_STOCK_ENVOY: 'true' }, { app: 'tea' }],
  ])('are parted by %s', (_name, metadata, labels) => {
    const { store, translator } = meshOf(MESH)
    const [one, other] = [translator.watch(replica(1)), translator.watch(replica(2, metadata, labels))]
    const stop = [one, other].map((watch) => watch.subscribe(() => {}))
    apply(
      store,
      `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: tea, namespace: shop}
spec:
  hosts: [cake]
  http: [{match: [{sourceLabels: {app: tea}}], redirect: {uri: /tea}}, {route: [{destination: {host: cake}}]}]
`,
    )
    expect(one.current.groups.filter((group) => !other.current.groups.includes(group))).not.toEqual([])
    for (const end of stop) end()
  })

  // The first asks where it is what the others ask too, so that the same sight is looked at by parts that began with somebody else.
  test('are parted by what comes later, whoever came first', () => {
    const { store, translator } = meshOf(MESH)
    const proxies = [
      replica(1, {}, { app: 'tea', 'topology.istio.io/network': 'n0' }),
      replica(2, { CLUSTER_ID: 'away' }, { app: 'chosen' }),
      replica(3, { CLUSTER_ID: 'away' }, { app: 'tea' }),
    ]
    const watches = proxies.map((proxy) => translator.watch(proxy))
    const stop = watches.map((watch) => watch.subscribe(() => {}))
    apply(
      store,
      `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: few, namespace: shop}
spec:
  workloadSelector: {labels: {app: chosen}}
  egress: [{hosts: [./tea.shop.svc.cluster.local]}]
`,
    )
    for (const [i, proxy] of proxies.entries())
      expect(toJson(watches[i]!.current), proxy.id).toEqual(toJson(translate(store.snapshot(), proxy).resources))
    for (const end of stop) end()
  })
})

describe('a change', () => {
  test('of an endpoint builds what has it, and tells who gets it', () => {
    const { store, translator } = meshOf(MESH)
    const watch = translator.watch(replica(1))
    let told = 0
    const stop = watch.subscribe(() => told++)
    const [before, built] = [watch.current, new Map(translator.builds)]
    apply(store, MESH.replace('10.1.2.1', '10.1.2.2'))
    expect(told).toBe(1)
    for (const kept of ['outbound listeners', 'outbound routes', 'outbound clusters', 'inbound'])
      expect(named(watch.current, kept), kept).toBe(named(before, kept))
    const count = (name: string): number => (translator.builds.get(name) ?? 0) - (built.get(name) ?? 0)
    expect([count('endpoints'), count('group of outbound listeners'), count('group of outbound routes')]).toEqual([1, 0, 0])
    stop()
  })

  test('of what nobody reads builds nothing', () => {
    const { store, translator } = meshOf(MESH)
    const watch = translator.watch(replica(1))
    let told = 0
    watch.subscribe(() => told++)
    const built = new Map(translator.builds)
    apply(store, 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other, namespace: shop}\ndata: {a: b}\n')
    expect([told, new Map(translator.builds)]).toEqual([0, built])
  })

  test('of one AuthorizationPolicy makes the rules of that one', () => {
    const policy = (name: string, method: string): string => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ${name}, namespace: shop}
spec: {action: DENY, rules: [{to: [{operation: {methods: [${method}]}}]}]}
---`
    const { store, translator } = meshOf(MESH + policy('first', 'GET') + policy('second', 'GET'))
    const watch = translator.watch(replica(1))
    watch.subscribe(() => {})
    const before = policiesOf(watch.current)
    apply(store, policy('second', 'POST'))
    const after = policiesOf(watch.current)
    expect(Object.keys(after)).toEqual(['ns[shop]-policy[first]-rule[0]', 'ns[shop]-policy[second]-rule[0]'])
    expect(Object.keys(after).map((name) => after[name] === before[name])).toEqual([true, false])
  })

  test('that is taken back leaves what there was', () => {
    const { store, translator } = meshOf(MESH)
    const watch = translator.watch(replica(1))
    watch.subscribe(() => {})
    const before = watch.current
    apply(store, service('milk', '10.9.0.3'))
    store.remove('Service shop/milk', 'EndpointSlice shop/milk-1')
    expect(watch.current).toEqual(before)
  })
})

test('keys of an issuer that become known are taken up', () => {
  const store = createStore()
  apply(
    store,
    `${MESH}
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: all, namespace: shop}
spec: {jwtRules: [{issuer: me, jwksUri: "https://me.example/keys"}]}
`,
  )
  let keys: string | undefined
  const translator = createTranslator(store.snapshot(), { jwks: () => keys })
  const watch = translator.watch({ ...replica(1), addresses: ['10.1.1.1'] })
  watch.subscribe(() => {})
  expect(JSON.stringify([...watch.current.groups.flatMap(({ resources }) => [...resources.values()])])).not.toContain('KEY-1')
  keys = '{"keys":["KEY-1"]}'
  translator.update(store.snapshot())
  expect(JSON.stringify([...watch.current.groups.flatMap(({ resources }) => [...resources.values()])])).toContain('KEY-1')
})
