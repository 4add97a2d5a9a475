import { createStore, readYaml } from '@heddle/config-model'
import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { ClusterLoadAssignment } from '@heddle/xds-types/envoy/config/endpoint/v3'
import { expect, test } from 'vitest'
import { toJson } from '../output.js'
import { pilotFeatures } from '../pilot-features.js'
import { proxyFromJson } from '../proxy.js'
import { translate } from '../translate.js'

const NAME = 'outbound|80||tea.shop.svc.cluster.local'

/** Addresses of tea's endpoints with their health, and the panic threshold of its cluster. */
function seen(service: string, env: Record<string, string> = {}, minHealthPercent?: number): readonly unknown[] {
  const store = createStore()
  const rule = `
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: tea, namespace: shop}
spec: {host: tea, trafficPolicy: {outlierDetection: {minHealthPercent: ${minHealthPercent}}}}
`
  const config = `apiVersion: v1
kind: Service
metadata: {name: tea, namespace: shop}
spec: {clusterIP: 10.1.1.1, selector: {app: tea}, ports: [{name: http, port: 80}]${service}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: tea-1, namespace: shop, labels: {kubernetes.io/service-name: tea}}
addressType: IPv4
endpoints:
- {addresses: [10.0.0.1], conditions: {ready: true}}
- {addresses: [10.0.0.2], conditions: {ready: false, terminating: false}}
- {addresses: [10.0.0.3], conditions: {ready: true}, targetRef: {kind: Pod, name: leaving, namespace: shop}}
ports: [{name: http, port: 80}]
---
apiVersion: v1
kind: Pod
metadata: {name: leaving, namespace: shop, labels: {app: tea, istio.io/draining: "yes"}}
spec: {containers: [{name: c, image: i}]}
status: {podIP: 10.0.0.3}
${minHealthPercent === undefined ? '' : rule}`
  store.apply({ set: readYaml(config, { file: 'f.yaml' }).resources })
  const proxy = proxyFromJson({ id: 'client', type: 'sidecar', namespace: 'shop', ip: '10.0.0.9', labels: {} })
  if (!proxy.ok) throw new Error('no proxy')
  const made = toJson(translate(store.snapshot(), proxy.value, { features: pilotFeatures(env) }).resources)
  const endpoints = made.endpoints as readonly ClusterLoadAssignment[]
  const clusters = made.clusters as readonly Cluster[]
  const of = endpoints.find(({ cluster_name }) => cluster_name === NAME)
  const listed = (of?.endpoints ?? []).flatMap(({ lb_endpoints = [] }) =>
    lb_endpoints.map((e) => `${JSON.stringify(e.endpoint?.address).match(/10[.0-9]+/)?.[0]} ${e.health_status}`),
  )
  return [listed, clusters.find(({ name }) => name === NAME)?.common_lb_config?.healthy_panic_threshold]
}

const [READY, UNREADY] = ['10.0.0.1 HEALTHY', '10.0.0.2 UNHEALTHY']

test('endpoints that are not ready are told, and the panic that would call them is off', () => {
  expect(seen('')).toEqual([[READY, UNREADY], {}])
})

test('minHealthPercent leaves them out', () => {
  expect(seen('', {}, 0)).toEqual([[READY, UNREADY], {}])
  expect(seen('', {}, 30)).toEqual([[READY], { value: 30 }])
  expect(seen('', { PILOT_SEND_UNHEALTHY_ENDPOINTS: 'true' }, 30)).toEqual([[READY, UNREADY], {}])
})

test('preferring what is near takes them, whatever the percentage', () => {
  expect(seen(', trafficDistribution: PreferClose', {}, 30)).toEqual([[READY, UNREADY], {}])
})

test('istiod can be told never to send them', () => {
  expect(seen('', { PILOT_AUTO_SEND_UNHEALTHY_ENDPOINTS: 'false' })).toEqual([[READY], undefined])
})

test('the label of who is about to end', () => {
  expect(seen('', { PILOT_DRAINING_LABEL: '' })).toEqual([[READY, UNREADY, '10.0.0.3 HEALTHY'], {}])
})
