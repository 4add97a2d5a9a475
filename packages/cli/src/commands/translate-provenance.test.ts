import { createStore } from '@heddle/config-model'
import { createMemorySource } from '@heddle/config-model/sources'
import { proxyFromJson, translate } from '@heddle/translator'
import { expect, test } from 'vitest'
import { provenanceLines, provenanceRows } from './translate-provenance.js'

const SHOP = `apiVersion: v1
kind: Service
metadata: {name: tea, namespace: shop}
spec: {clusterIP: 10.0.0.1, ports: [{name: http, port: 80}]}
---
# The line of a field is that of its file, whatever stands above it.
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: tea, namespace: shop}
spec:
  hosts: [tea]
  http:
  - timeout: 2s
    route:
    - destination: {host: tea}
`

test('fields name the object, the field and the line that they came from', () => {
  const store = createStore()
  const source = createMemorySource({ store })
  source.set('shop.yaml', SHOP)
  const proxy = proxyFromJson({ id: 'client', namespace: 'shop', ip: '10.0.0.9' })
  if (!proxy.ok) throw new Error('no proxy')
  const rows = provenanceRows(translate(store.snapshot(), proxy.value), source.origins)
  const lines = rows
    .filter(({ type, name }) => type === 'routes' && name === '80')
    .flatMap(({ fields }) => fields.flatMap(provenanceLines))
  const route = 'virtual_hosts[0].routes[0].route'
  expect(lines).toContain(`      ${route}.timeout  VirtualService shop/tea spec.http[0].timeout  shop.yaml:13`)
  expect(lines).toContain(`      ${route}.cluster  VirtualService shop/tea spec.http[0].route[0].destination  shop.yaml:15`)
  const [cluster] = rows.filter(({ name }) => name === 'outbound|80||tea.shop.svc.cluster.local')
  expect(cluster?.from).toEqual([
    { kind: 'Service', namespace: 'shop', name: 'tea', path: 'spec.ports[0]', file: 'shop.yaml', line: 4 },
  ])
})
