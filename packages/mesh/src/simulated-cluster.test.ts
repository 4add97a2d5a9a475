import { createStore, type MeshSnapshot, type ServiceEndpoint } from '@heddle/config-model'
import { createMemorySource } from '@heddle/config-model/sources'
import { expect, test } from 'vitest'
import { simulateCluster } from './simulated-cluster.js'

const SERVICE = `
apiVersion: v1
kind: Service
metadata: {name: tea, namespace: shop}
spec: {selector: {app: tea}, ports: [{name: http, port: 80, targetPort: 8080}]}
`
const POD = `
apiVersion: v1
kind: Pod
metadata: {name: tea-1, namespace: shop, labels: {app: tea}}
spec: {containers: [{name: tea}]}
`
const RUNNING = `${POD}status: {podIP: 10.9.9.9, phase: Running}\n`
const SLICE = `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: tea-x, namespace: shop, labels: {kubernetes.io/service-name: tea}}
addressType: IPv4
ports: [{name: http, port: 8080}]
endpoints: [{addresses: [10.9.9.9], conditions: {ready: true}, targetRef: {kind: Pod, name: tea-1, namespace: shop}}]
`
const STATEFUL = `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: tea, namespace: shop}
spec: {template: {metadata: {labels: {app: tea}}, spec: {containers: [{name: tea}]}}}
`

function simulated(...documents: string[]): { snapshot: MeshSnapshot; endpoints: readonly ServiceEndpoint[] } {
  const store = createStore({ endpointsFromPods: true })
  createMemorySource({ store }).apply({ 'all.yaml': [SERVICE, ...documents].join('---') })
  store.apply({ set: simulateCluster(store.snapshot()) })
  const snapshot = store.snapshot()
  return { snapshot, endpoints: snapshot.endpoints(snapshot.services[0]!, 'http') }
}

test.each([
  ['a StatefulSet', STATEFUL, '10.244.0.1', 'istio'],
  ['a pod without a status', POD, '10.244.0.1', 'istio'],
  ['a running pod that no slice names', RUNNING, '10.9.9.9', 'istio'],
  ['a pod that wants no proxy', POD.replace('app: tea', 'app: tea, sidecar.istio.io/inject: "false"'), '10.244.0.1', 'disabled'],
])('%s is an endpoint', (_, document, address, tlsMode) => {
  expect(simulated(document).endpoints).toMatchObject([{ address, port: 8080, tlsMode }])
})

test('what has slices of its own stays as it is written', () => {
  const { snapshot, endpoints } = simulated(RUNNING, SLICE)
  expect(endpoints).toMatchObject([{ address: '10.9.9.9', tlsMode: 'disabled' }])
  expect(snapshot.list('EndpointSlice')).toHaveLength(1)
})
