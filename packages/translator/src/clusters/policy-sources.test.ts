import { createStore, readYaml } from '@heddle/config-model'
import { expect, test } from 'vitest'
import { CLUSTER_TYPE } from '../message.js'
import { proxyFromJson } from '../proxy.js'
import { translate } from '../translate.js'

const MESH = `
apiVersion: v1
kind: Service
metadata: {name: tea, namespace: shop}
spec: {clusterIP: 10.0.0.1, ports: [{name: http, port: 80}, {name: tcp, port: 90}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: tea, namespace: shop}
spec:
  host: tea
  trafficPolicy:
    connectionPool: {tcp: {maxConnections: 5}}
    loadBalancer: {simple: RANDOM}
    portLevelSettings:
    - {port: {number: 90}, connectionPool: {tcp: {maxConnections: 9}}}
  subsets:
  - {name: v1, labels: {version: v1}, trafficPolicy: {loadBalancer: {simple: RANDOM}}}
`

const store = createStore()
store.apply({ set: readYaml(MESH, { file: 'a.yaml' }).resources })
const proxy = proxyFromJson({ id: 'a', namespace: 'shop', ip: '10.0.0.9' })
if (!proxy.ok) throw new Error('no proxy')
const { provenance } = translate(store.snapshot(), proxy.value)
const rule = (path: string): object => ({ kind: 'DestinationRule', namespace: 'shop', name: 'tea', path })

test.each([
  ['the destination', 'outbound|80||', 'circuit_breakers', 'spec.trafficPolicy.connectionPool'],
  ['a port', 'outbound|90||', 'circuit_breakers', 'spec.trafficPolicy.portLevelSettings[0].connectionPool'],
  ['a subset', 'outbound|80|v1|', 'lb_policy', 'spec.subsets[0].trafficPolicy.loadBalancer'],
  ['what a subset inherits', 'outbound|80|v1|', 'circuit_breakers', 'spec.trafficPolicy.connectionPool'],
])('%s', (_, cluster, field, path) => {
  expect(provenance.of(CLUSTER_TYPE, `${cluster}tea.shop.svc.cluster.local`, field)[0]).toEqual(rule(path))
})

test('a port that is silent goes back to the default, which nobody wrote', () => {
  expect(provenance.of(CLUSTER_TYPE, 'outbound|90||tea.shop.svc.cluster.local', 'lb_policy')[0]).toMatchObject({
    kind: 'Service',
  })
})
