import { createStore, type MeshSnapshot, readYaml } from '@heddle/config-model'
import type { RouteConfiguration } from '@heddle/xds-types/envoy/config/route/v3'
import { expect, test } from 'vitest'
import { CLUSTER_TYPE, LISTENER_TYPE, ROUTE_TYPE } from './message.js'
import { toJson } from './output.js'
import { type ProxyDescriptor, proxyFromJson } from './proxy.js'
import { translate } from './translate.js'

const entry = (name: string, more: string): string => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}, namespace: shop}
spec: {hosts: [${name}.example], ports: [{number: 90, name: tcp, protocol: TCP}], resolution: STATIC, ${more}}
---`

function snapshotOf(yaml: string): MeshSnapshot {
  const store = createStore()
  store.apply({ set: readYaml(yaml, { file: 'a.yaml' }).resources })
  return store.snapshot()
}

function proxyOf(json: object): ProxyDescriptor {
  const read = proxyFromJson({ id: 'a', namespace: 'shop', ip: '10.0.0.9', ...json })
  if (!read.ok) throw new Error('not a proxy')
  return read.value
}

test('of types that nobody asks for nothing is made, and the diagnostics are those of everything', () => {
  const snapshot = snapshotOf(`${entry('far', 'endpoints: [{address: 10.1.0.1}]')}
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: far, namespace: shop}
spec: {hosts: [far.example], tcp: [{route: [{destination: {host: gone.example}}]}]}
`)
  const whole = translate(snapshot, proxyOf({}))
  const { resources, diagnostics } = translate(snapshot, proxyOf({}), { types: [CLUSTER_TYPE] })
  expect(toJson(resources)).toEqual({
    listeners: [],
    routes: [],
    endpoints: [],
    secrets: [],
    clusters: toJson(whole.resources).clusters,
  })
  expect(diagnostics.map(({ code }) => code)).toEqual(['translate.unknown_cluster'])
  expect(diagnostics).toEqual(whole.diagnostics)
})

test('an address of 240.240.0.0/16 that somebody wrote is called by everybody, one that was made up only by who answers DNS', () => {
  const snapshot = snapshotOf(
    entry('written', 'addresses: [240.240.1.2], endpoints: [{address: 10.1.0.1}]') +
      entry('made', 'endpoints: [{address: 10.1.0.1}]'),
  )
  const names = (metadata: object): string[] =>
    toJson(translate(snapshot, proxyOf({ metadata }), { types: [LISTENER_TYPE] }).resources)
      .listeners.map((one) => (one as { name: string }).name)
      .filter((name) => name.endsWith('_90'))
  expect(names({})).toEqual(['0.0.0.0_90', '240.240.1.2_90'])
  expect(names({ DNS_CAPTURE: 'true' }).every((name) => name.startsWith('240.240.'))).toBe(true)
})

test('a label that says what an endpoint takes does not tell it from other workloads', () => {
  const snapshot = snapshotOf(
    entry('own', 'location: MESH_INTERNAL, endpoints: [{address: 10.0.0.9, labels: {security.istio.io/tlsMode: istio}}]'),
  )
  const { clusters } = toJson(translate(snapshot, proxyOf({ labels: { app: 'a' } })).resources)
  expect(clusters.map((one) => (one as { name: string }).name)).toContain('inbound|90||')
})

const GATEWAY = (rule: string): string => `${entry('far', 'endpoints: [{address: 10.1.0.1}]')}
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: door, namespace: shop}
spec:
  selector: {app: door}
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: [a.example]}
  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: [a.example], tls: {mode: ISTIO_MUTUAL}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a, namespace: shop}
spec: {hosts: [a.example], gateways: [door], http: [${rule}]}
`

test.each([
  ['a destination with its port', '{route: [{destination: {host: gone.example, port: {number: 5}}}]}', true],
  ['a service of one port', '{route: [{destination: {host: far.example}}]}', true],
  ['a host that nobody knows', '{route: [{destination: {host: gone.example}}]}', false],
  ['a match of a port', '{match: [{port: 80}, {uri: {prefix: /a}}], route: [{destination: {host: far.example}}]}', false],
  ['a redirect', '{redirect: {uri: /b}}', false],
])('servers of several ports have the very same routes where the port does not show: %s', (_, rule, same) => {
  const proxy = proxyOf({ type: 'router', labels: { app: 'door' } })
  const { resources } = translate(snapshotOf(GATEWAY(rule)), proxy, { types: [ROUTE_TYPE] })
  const lists = resources.groups
    .flatMap((group) => (group.resources.get(ROUTE_TYPE) ?? []) as RouteConfiguration[])
    .map(({ virtual_hosts }) => virtual_hosts?.[0]?.routes)
  expect(lists).toHaveLength(2)
  expect(lists[0] === lists[1]).toBe(same)
})
