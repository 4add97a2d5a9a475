import { createStore, type MeshSnapshot, readYaml } from '@heddle/config-model'
import { expect, test } from 'vitest'
import { effectiveVirtualServices } from './virtual-services.js'

function snapshotOf(yaml: string): MeshSnapshot {
  const store = createStore()
  const read = readYaml(yaml, { file: 'a.yaml' })
  expect(read.diagnostics.filter((d) => d.severity === 'error')).toEqual([])
  store.apply({ set: read.resources })
  return store.snapshot()
}

test('short names belong to the namespace of the VirtualService', () => {
  const [bound] = effectiveVirtualServices(
    snapshotOf(
      'apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a, namespace: shop}\nspec: {hosts: [tea], http: [{mirror: {host: cake}, route: [{destination: {host: tea}}]}]}\n',
    ),
  )
  expect([bound?.hosts, bound?.gateways, bound?.http[0]?.http.mirror?.host]).toEqual([
    ['tea.shop.svc.cluster.local'],
    ['mesh'],
    'cake.shop.svc.cluster.local',
  ])
})

test('a delegate’s rules stand under the root’s match, with their own place', () => {
  const yaml = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: root, namespace: shop}
spec:
  hosts: [tea]
  http:
  - match: [{uri: {prefix: /a}}]
    delegate: {name: child, namespace: team}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: child, namespace: team}
spec:
  http:
  - match: [{uri: {prefix: /a/b}}]
    route: [{destination: {host: tea}}]
  - match: [{uri: {prefix: /other}}]
    route: [{destination: {host: tea}}]
`
  const bound = effectiveVirtualServices(snapshotOf(yaml))
  expect(bound).toHaveLength(1)
  expect(
    bound[0]?.http.map(({ http, source, path }) => [
      http.match?.[0]?.uri,
      http.route?.[0]?.destination.host,
      source.metadata.name,
      path,
    ]),
  ).toEqual([[{ prefix: '/a/b' }, 'tea.team.svc.cluster.local', 'child', 'spec.http[0]']])
})

test('the list is made once while nothing changed', () => {
  const snapshot = snapshotOf(
    'apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a, namespace: shop}\nspec: {hosts: [tea], http: [{route: [{destination: {host: tea}}]}]}\n',
  )
  expect(effectiveVirtualServices(snapshot)).toBe(effectiveVirtualServices(snapshot))
})
