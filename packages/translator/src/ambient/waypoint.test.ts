import { createStore, readYaml } from '@heddle/config-model'
import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import { describe, expect, test } from 'vitest'
import { toJson } from '../output.js'
import { pilotFeatures } from '../pilot-features.js'
import { proxyFromJson } from '../proxy.js'
import { translate } from '../translate.js'

const service = (name: string, namespace: string, ip: string, ports: string, labels = ''): string =>
  `---\napiVersion: v1\nkind: Service\nmetadata: {name: ${name}, namespace: ${namespace}, labels: {${labels}}}\nspec: {clusterIP: ${ip}, selector: {app: ${name}}, ports: [${ports}]}\n`
const namespace = (labels: string): string =>
  `---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {${labels}}}\n`
const gateway = (traffic: string): string =>
  `---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: way, namespace: shop, labels: {istio.io/waypoint-for: ${traffic}}}\nspec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}\n`
const HTTP = '{name: http, port: 80}'
const USES = 'istio.io/use-waypoint: way'

function made(yaml: string): { main: Listener | undefined; chains: readonly string[]; clusters: readonly Cluster[] } {
  const store = createStore()
  store.apply({ set: readYaml(yaml, { file: 'f.yaml' }).resources })
  const labels = { 'gateway.networking.k8s.io/gateway-name': 'way' }
  const proxy = proxyFromJson({ id: 'way-0', type: 'waypoint', namespace: 'shop', ip: '10.9.0.1', labels })
  if (!proxy.ok) throw new Error('no proxy')
  const features = pilotFeatures({ PILOT_ENABLE_AMBIENT: 'true' })
  const { listeners, clusters } = toJson(translate(store.snapshot(), proxy.value, { features }).resources)
  const main = (listeners as Listener[]).find(({ name }) => name === 'main_internal')
  return { main, chains: (main?.filter_chains ?? []).map(({ name = '' }) => name), clusters: clusters as Cluster[] }
}
const direct = ['direct-tcp', 'direct-http']

describe('who is behind it', () => {
  test('what says so itself, or by its namespace, and does not say otherwise', () => {
    const { chains } = made(
      namespace(USES) +
        service('tea', 'shop', '10.0.0.1', HTTP) +
        service('milk', 'shop', '10.0.0.2', HTTP, 'istio.io/use-waypoint: none') +
        service('far', 'hill', '10.0.0.3', HTTP, `${USES}, istio.io/use-waypoint-namespace: shop`) +
        service('other', 'hill', '10.0.0.4', HTTP, USES),
    )
    expect(chains).toEqual([
      'inbound-vip|80|http|far.hill.svc.cluster.local',
      'inbound-vip|80|http|tea.shop.svc.cluster.local',
      ...direct,
    ])
  })

  test('a waypoint for workloads has their addresses, and no services', () => {
    const pod =
      '---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop}\nspec: {containers: []}\nstatus: {phase: Running, podIP: 10.2.2.2}\n'
    const { chains, main } = made(namespace(USES) + gateway('workload') + service('tea', 'shop', '10.0.0.1', HTTP) + pod)
    expect(chains).toEqual(direct)
    expect(JSON.stringify(main?.filter_chain_matcher)).toContain('"address_prefix":"10.2.2.2"')
  })
})

test('a port of unknown protocol is looked at', () => {
  const { main, chains } = made(namespace(USES) + service('tea', 'shop', '10.0.0.1', '{name: what, port: 90}'))
  expect(chains.slice(0, 2).map((name) => name.split('|')[2])).toEqual(['tcp', 'http'])
  expect(JSON.stringify(main?.filter_chain_matcher)).toContain('ApplicationProtocolInput')
  expect(main?.listener_filters?.at(-1)?.filter_disabled).toBeUndefined()
})

test('routes lead to services behind it, by subset, and to others as a client', () => {
  const { main, clusters } = made(
    namespace(USES) +
      service('tea', 'shop', '10.0.0.1', HTTP) +
      service('far', 'hill', '10.0.0.3', HTTP) +
      `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: tea, namespace: shop}
spec: {hosts: [tea], http: [{match: [{uri: {prefix: /far}}], route: [{destination: {host: far.hill.svc.cluster.local}}]}, {route: [{destination: {host: tea, subset: v1}}]}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: tea, namespace: shop}
spec: {host: tea, trafficPolicy: {tls: {mode: SIMPLE}}, subsets: [{name: v1, labels: {v: "1"}}]}
`,
  )
  const text = JSON.stringify(main)
  expect(text).toContain('"cluster":"outbound|80||far.hill.svc.cluster.local"')
  expect(text).toContain('"cluster":"inbound-vip|80|http/v1|tea.shop.svc.cluster.local"')
  const names = clusters.map(({ name }) => name)
  expect(names).toContain('outbound|80||far.hill.svc.cluster.local')
  expect(names).toContain('inbound-vip|80|http/v1|tea.shop.svc.cluster.local')
  const [subset] = clusters.filter(({ name }) => name?.includes('/v1'))
  expect(JSON.stringify(subset?.transport_socket)).toMatch(/^\{"name":"internal_upstream".*UpstreamTlsContext/)
})

test('policies that name a service are for its chains, those that name the waypoint for all, selectors for none', () => {
  const policy = (name: string, spec: string): string =>
    `---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: ${name}, namespace: shop}\nspec: {${spec} rules: [{from: [{source: {namespaces: [a]}}]}]}\n`
  const { main } = made(
    namespace(USES) +
      service('tea', 'shop', '10.0.0.1', HTTP) +
      service('milk', 'shop', '10.0.0.2', HTTP) +
      policy('of-tea', 'targetRefs: [{kind: Service, name: tea}],') +
      policy('of-way', 'targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: way}],') +
      policy('everywhere', ''),
  )
  const named = (main?.filter_chains ?? []).map(({ name = '', filters }) => {
    const text = JSON.stringify(filters)
    return [name.split('|').at(-1), [...new Set(text.match(/policy\[[a-z-]+\]/g))].sort()]
  })
  expect(Object.fromEntries(named)).toEqual({
    'milk.shop.svc.cluster.local': ['policy[of-way]'],
    'tea.shop.svc.cluster.local': ['policy[of-tea]', 'policy[of-way]'],
    'direct-tcp': ['policy[of-way]'],
    'direct-http': ['policy[of-way]'],
  })
})
