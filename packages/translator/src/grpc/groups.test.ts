import { createStore, readYaml } from '@heddle/config-model'
import { expect, test } from 'vitest'
import { toJson } from '../output.js'
import { proxyFromJson } from '../proxy.js'
import { translate } from '../translate.js'
import { hostsOf, parseTarget } from './listener-names.js'

const MESH = `
apiVersion: v1
kind: Service
metadata: {name: rye, namespace: pantry}
spec: {clusterIP: 10.0.0.1, selector: {app: rye}, ports: [{name: grpc, port: 7070}]}
---
apiVersion: v1
kind: Service
metadata: {name: oat, namespace: pantry}
spec: {clusterIP: 10.0.0.2, ports: [{name: grpc, port: 7070}]}
---
apiVersion: v1
kind: Pod
metadata: {name: rye-0, namespace: pantry, labels: {app: rye}}
spec: {serviceAccountName: rye}
status: {podIP: 10.1.0.1}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: rye, namespace: pantry}
spec:
  hosts: [rye]
  http: [{route: [{destination: {host: rye, subset: v1}, weight: 90}, {destination: {host: rye, subset: v2}, weight: 10}]}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: rye, namespace: pantry}
spec:
  host: rye
  trafficPolicy: {connectionPool: {http: {http2MaxRequests: 7}}}
  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
`

function resourcesOf(extra: object, more = '') {
  const store = createStore()
  store.apply({ set: readYaml(MESH + more, { file: 'mesh.yaml' }).resources })
  const proxy = proxyFromJson({
    id: 'rye-0',
    namespace: 'pantry',
    ip: '10.1.0.1',
    labels: { app: 'rye' },
    metadata: { GENERATOR: 'grpc' },
    ...extra,
  })
  if (!proxy.ok) throw new Error('proxy')
  return JSON.parse(JSON.stringify(toJson(translate(store.snapshot(), proxy.value).resources)))
}

const names = (list: { name: string }[]): string[] => list.map(({ name }) => name)

test('a client gets what it asked for, under the name that it used', () => {
  const { listeners, routes, clusters } = resourcesOf({ resources: ['rye:7070'] })
  expect(names(listeners)).toEqual(['rye:7070'])
  expect(names(routes)).toEqual(['outbound|7070||rye.pantry.svc.cluster.local'])
  expect(names(clusters)).toEqual([
    'outbound|7070|v1|rye.pantry.svc.cluster.local',
    'outbound|7070|v2|rye.pantry.svc.cluster.local',
  ])
  expect(clusters[0].circuit_breakers).toEqual({ thresholds: [{ max_requests: 7 }] })
})

test('a client that names nothing may call every service by every name, and a server listen on both families', () => {
  const { listeners } = resourcesOf({})
  expect(names(listeners)).toEqual(
    expect.arrayContaining([
      'oat:7070',
      'oat.pantry.svc.cluster.local:7070',
      'xds.istio.io/grpc/lds/inbound/0.0.0.0:7070',
      'xds.istio.io/grpc/lds/inbound/[::]:7070',
    ]),
  )
})

test('a server without a policy refuses nobody, one whose only ALLOW has no rules refuses everybody', () => {
  const filters = (more: string): string[] => {
    const [listener] = resourcesOf({ resources: ['xds.istio.io/grpc/lds/inbound/0.0.0.0:7070'] }, more).listeners
    return names(listener.filter_chains[0].filters[0].typed_config.http_filters)
  }
  expect(filters('')).toEqual(['envoy.filters.http.router'])
  const policy =
    '---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: none, namespace: pantry}\nspec: {}\n'
  expect(filters(policy)).toEqual(['envoy.filters.http.rbac', 'envoy.filters.http.router'])
})

test('targets and the hosts that they mean', () => {
  expect(parseTarget('[::1]:80')).toEqual({ host: '::1', port: 80 })
  expect(parseTarget('rye')).toEqual({ host: 'rye', port: undefined })
  expect(hostsOf('rye.pantry', 'pantry', 'pantry.svc.cluster.local')).toContain('rye.pantry.svc.cluster.local')
  expect(hostsOf('rye.other', 'pantry', 'pantry.svc.cluster.local')).toEqual(['rye.other'])
})
