import { createStore, readYaml } from '@heddle/config-model'
import { expect, test } from 'vitest'
import { createTranslator } from '../incremental/translator.js'
import { NAME_TABLE_TYPE } from '../message.js'
import { pilotFeatures } from '../pilot-features.js'
import { proxyFromJson } from '../proxy.js'
import { translate } from '../translate.js'

const MESH = `
apiVersion: v1
kind: Service
metadata: {name: tea, namespace: shop}
spec: {clusterIP: 10.9.0.1, clusterIPs: [10.9.0.1, "fd09::1"], ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: mysql, namespace: shop}
spec: {clusterIP: None, selector: {app: mysql}, ports: [{name: tcp, port: 3306}]}
---
apiVersion: v1
kind: Pod
metadata: {name: mysql-0, namespace: shop, labels: {app: mysql}}
spec: {hostname: mysql-0, subdomain: mysql, containers: [{name: db}]}
status: {podIP: 10.1.0.1, phase: Running}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: mysql-1, namespace: shop, labels: {kubernetes.io/service-name: mysql}}
addressType: IPv4
ports: [{name: tcp, port: 3306}]
endpoints:
- {addresses: [10.1.0.1], targetRef: {kind: Pod, namespace: shop, name: mysql-0}}
- {addresses: [10.1.0.2]}
- {addresses: [10.1.0.3], conditions: {ready: false}}
---
apiVersion: v1
kind: Service
metadata: {name: alias, namespace: shop}
spec: {type: ExternalName, externalName: tea.example, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: named, namespace: shop}
spec: {hosts: [named.example], addresses: [10.7.0.1, 10.7.0.2, 10.8.0.0/16], ports: [{number: 443, name: tls, protocol: TLS}], resolution: NONE}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: unnamed, namespace: shop}
spec: {hosts: [db.example], ports: [{number: 5432, name: tcp, protocol: TCP}], resolution: DNS}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: hidden, namespace: other}
spec: {hosts: [hidden.example], addresses: [10.7.9.9], exportTo: ["."], ports: [{number: 443, name: tls, protocol: TLS}], resolution: DNS}
`

function tableOf(proxy: object, env = {}): Readonly<Record<string, unknown>> | undefined {
  const described = proxyFromJson({
    id: 'cart-0',
    namespace: 'shop',
    ip: '10.1.9.9',
    metadata: { DNS_CAPTURE: 'true' },
    ...proxy,
  })
  if (!described.ok) throw new Error('no proxy')
  const store = createStore()
  const read = readYaml(MESH, { file: 'mesh.yaml' })
  store.apply({ set: read.resources })
  const features = pilotFeatures(env)
  const { groups } = translate(store.snapshot(), described.value, { features }).resources
  const followed = createTranslator(store.snapshot(), { features }).watch(described.value).current.groups
  const find = (list: typeof groups): unknown => list.flatMap(({ resources }) => resources.get(NAME_TABLE_TYPE) ?? [])[0]
  expect(find(followed)).toEqual(find(groups))
  return (find(groups) as { table: Record<string, unknown> } | undefined)?.table
}

test('services by host: virtual addresses, endpoints of headless ones, pods with a name', () => {
  expect(tableOf({})).toEqual({
    'tea.shop.svc.cluster.local': { ips: ['10.9.0.1'], registry: 'Kubernetes', shortname: 'tea', namespace: 'shop' },
    'mysql.shop.svc.cluster.local': {
      ...{ ips: ['10.1.0.1', '10.1.0.2'], registry: 'Kubernetes', shortname: 'mysql', namespace: 'shop' },
    },
    'mysql-0.mysql.shop.svc.cluster.local': {
      ...{ ips: ['10.1.0.1'], registry: 'Kubernetes', shortname: 'mysql-0.mysql', namespace: 'shop' },
    },
    'named.example': { ips: ['10.7.0.1', '10.7.0.2'], registry: 'External' },
    'db.example': { ips: [expect.stringMatching(/^240\.240\./)], registry: 'External' },
  })
})

test('addresses are of the families that the proxy has; of both only where istiod is for both', () => {
  expect(tableOf({ ip: ['fd01::9'] })?.['tea.shop.svc.cluster.local']).toMatchObject({ ips: ['fd09::1'] })
  const both = { ip: ['10.1.9.9', 'fd01::9'] }
  expect(tableOf(both)?.['tea.shop.svc.cluster.local']).toMatchObject({ ips: ['10.9.0.1'] })
  const dual = tableOf(both, { ISTIO_DUAL_STACK: 'true' })
  expect(dual?.['tea.shop.svc.cluster.local']).toMatchObject({ ips: ['10.9.0.1', 'fd09::1'] })
})

test('another namespace sees what is exported to it', () => {
  expect(Object.keys(tableOf({ namespace: 'other' }) ?? {})).toContain('hidden.example')
})

test('who does not answer DNS gets no table', () => {
  expect(tableOf({ metadata: {} })).toBeUndefined()
  expect(tableOf({ metadata: { DNS_CAPTURE: 'false' } })).toBeUndefined()
})
