import { createStore, readYaml } from '@heddle/config-model'
import { describe, expect, test } from 'vitest'
import { ENDPOINT_TYPE } from '../message.js'
import { proxyFromJson } from '../proxy.js'
import { translate } from '../translate.js'

const NETWORKS = `apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: ""
  meshNetworks: |
    networks:
      near: {endpoints: [{fromRegistry: Kubernetes}], gateways: [{address: 192.0.2.1, port: 15443}]}
      far: {endpoints: [{fromRegistry: away}], gateways: [{address: 192.0.2.2, port: 15443}, {address: gate.example, port: 1}, {address: 192.0.2.3, port: 15444}]}
---
`
const inCluster = (cluster: string | undefined, ip: string, mtls: boolean): string => `---
apiVersion: v1
kind: Service
metadata: {name: tea, namespace: shop${cluster === undefined ? '' : `, annotations: {topology.istio.io/cluster: ${cluster}}`}}
spec: {clusterIP: ${ip.replace('10.0', '10.9')}, ports: [{name: tcp, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: tea-x, namespace: shop, labels: {kubernetes.io/service-name: tea}${cluster === undefined ? '' : `, annotations: {topology.istio.io/cluster: ${cluster}}`}}
addressType: IPv4
ports: [{name: tcp, port: 80}]
endpoints: [{addresses: [${ip}], conditions: {ready: true}, targetRef: {kind: Pod, name: tea-0, namespace: shop}}]
---
apiVersion: v1
kind: Pod
metadata: {name: tea-0, namespace: shop, labels: {app: tea${mtls ? ', security.istio.io/tlsMode: istio' : ''}}${cluster === undefined ? '' : `, annotations: {topology.istio.io/cluster: ${cluster}}`}}
spec: {serviceAccountName: tea}
status: {podIP: ${ip}, phase: Running}
`

// biome-ignore lint/suspicious/noExplicitAny: what a test reads of a resource is checked by reading it
type Json = any

/** `address weight` of each endpoint of the service, and the listeners' names, for a client. */
function seenBy(yaml: string, client: object): { endpoints: string[]; listeners: string[] } {
  const store = createStore()
  const read = readYaml(yaml, { file: 'f.yaml' })
  expect(read.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([])
  store.apply({ set: read.resources })
  const proxy = proxyFromJson({ id: 'client', namespace: 'shop', ip: '10.0.0.99', ...client })
  if (!proxy.ok) throw new Error('no proxy')
  const { groups } = translate(store.snapshot(), proxy.value).resources
  const assignments = groups.flatMap((g) => g.resources.get(ENDPOINT_TYPE) ?? []) as Json[]
  const { endpoints = [] } = assignments.find((a) => a.cluster_name.includes('tea.shop')) ?? {}
  return {
    endpoints: endpoints.flatMap((l: Json) =>
      (l.lb_endpoints ?? []).map((e: Json) => `${e.endpoint.address.socket_address.address} ${e.load_balancing_weight}`),
    ),
    listeners: (groups.flatMap((g) => [...g.resources.values()].flat()) as Json[]).map((r) => r.name ?? ''),
  }
}

describe('a service of two clusters', () => {
  const both = inCluster(undefined, '10.0.1.1', true) + inCluster('away', '10.0.2.1', true)

  test('has the endpoints of both, though their objects have one name', () => {
    expect(seenBy(both, {}).endpoints).toEqual(['10.0.1.1 1', '10.0.2.1 1'])
  })

  test('is called by the address of the own cluster', () => {
    expect(seenBy(both, {}).listeners).toContain('10.9.1.1_80')
    expect(seenBy(both, { cluster: 'away' }).listeners).toContain('10.9.2.1_80')
  })
})

describe('networks', () => {
  const both = NETWORKS + inCluster(undefined, '10.0.1.1', true) + inCluster('away', '10.0.2.1', true)

  test.each<[string, object, string[]]>([
    ['near', { network: 'near' }, ['10.0.1.1 2', '192.0.2.2 1', '192.0.2.3 1']],
    ['far', { network: 'far', cluster: 'away' }, ['10.0.2.1 2', '192.0.2.1 2']],
    ['in no network', {}, ['192.0.2.1 2', '192.0.2.2 1', '192.0.2.3 1']],
  ])('a client that is %s reaches the others through gateways', (_name, client, wanted) => {
    expect(seenBy(both, client).endpoints).toEqual(wanted)
  })

  test('endpoints without mTLS are not behind gateways, which pass only that on', () => {
    const plain = NETWORKS + inCluster(undefined, '10.0.1.1', false) + inCluster('away', '10.0.2.1', false)
    expect(seenBy(plain, { network: 'near' }).endpoints).toEqual(['10.0.1.1 2'])
  })

  test('a labelled Service with a load balancer is a gateway of its network', () => {
    const labelled = `---
apiVersion: v1
kind: Namespace
metadata: {name: istio-system, labels: {topology.istio.io/network: far}, annotations: {topology.istio.io/cluster: away}}
---
apiVersion: v1
kind: Service
metadata: {name: door, namespace: istio-system, labels: {topology.istio.io/network: far}, annotations: {topology.istio.io/cluster: away}}
spec: {type: LoadBalancer, ports: [{name: tls, port: 15443}]}
status: {loadBalancer: {ingress: [{ip: 198.51.100.4}]}}
`
    const yaml = inCluster(undefined, '10.0.1.1', true) + inCluster('away', '10.0.2.1', true) + labelled
    expect(seenBy(yaml, { network: 'near' }).endpoints).toEqual(['10.0.1.1 1', '198.51.100.4 1'])
  })
})
