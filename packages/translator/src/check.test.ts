import { createStore, readYaml } from '@heddle/config-model'
import { expect, test } from 'vitest'
import { proxyFromJson } from './proxy.js'
import { translate } from './translate.js'

const SERVICE = `
apiVersion: v1
kind: Service
metadata: {name: tea, namespace: shop}
spec: {clusterIP: 10.0.0.1, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: tea, namespace: shop}
spec:
  hosts: [tea]
  http:
`

function diagnosticsOf(rules: string): readonly { code: string; path: string; subject?: string; message: string }[] {
  const store = createStore()
  store.apply({ set: readYaml(SERVICE + rules, { file: 'a.yaml' }).resources })
  const proxy = proxyFromJson({ id: 'a', namespace: 'shop', ip: '10.0.0.9' })
  if (!proxy.ok) throw new Error('no proxy')
  return translate(store.snapshot(), proxy.value).diagnostics
}

test('a destination that exists is no news', () => {
  expect(diagnosticsOf('  - route: [{destination: {host: tea}}]\n')).toEqual([])
})

test('a subset, host or port that does not exist is told with its place', () => {
  const rules =
    '  - match: [{uri: {prefix: /a}}]\n    route: [{destination: {host: tea, subset: v9}}]\n  - route: [{destination: {host: tea}, weight: 1}, {destination: {host: coffee}, weight: 1}]\n'
  expect(diagnosticsOf(rules).map(({ code, subject, path }) => [code, subject, path])).toEqual([
    ['translate.unknown_cluster', 'VirtualService shop/tea', 'spec.http[0].route[0].destination'],
    ['translate.unknown_cluster', 'VirtualService shop/tea', 'spec.http[1].route[1]'],
  ])
  expect(diagnosticsOf(rules)[0]?.message).toContain('outbound|80|v9|tea.shop.svc.cluster.local')
})
