import { createStore, type MeshSnapshot, readYaml } from '@heddle/config-model'
import { expect, test } from 'vitest'
import { toJson } from './output.js'
import { type ProxyDescriptor, proxyFromNode } from './proxy.js'
import { translate } from './translate.js'

const MESH = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: door, namespace: shop}
spec:
  gatewayClassName: istio
  listeners: [{name: web, port: 80, protocol: HTTP}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: tea, namespace: shop}
spec:
  parentRefs: [{name: door}]
  hostnames: [tea.example]
  rules:
  - matches: [{path: {type: PathPrefix, value: /green.tea}}]
    filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}]
    backendRefs: [{name: tea, port: 80}]
  - matches: [{path: {type: PathPrefix, value: /lost}}]
    backendRefs: [{name: nobody, port: 80, weight: 1}, {name: tea, port: 80, weight: 1}]
---
apiVersion: v1
kind: Service
metadata: {name: tea, namespace: shop}
spec: {selector: {app: tea}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: door-istio, namespace: shop}
spec: {selector: {app: door}, ports: [{name: web, port: 80, targetPort: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: door, namespace: shop}
spec: {address: 127.0.0.1, labels: {app: door}, serviceAccount: door}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: other, namespace: shop}
spec: {address: 127.0.0.2, labels: {app: other}, serviceAccount: other}
`

function mesh(): MeshSnapshot {
  const store = createStore({ allocateAddresses: false })
  store.apply({ set: readYaml(MESH, { file: 'mesh.yaml' }).resources })
  return store.snapshot()
}

function router(address: string, app: string): ProxyDescriptor {
  const node = proxyFromNode({
    id: `router~${address}~${app}.shop~shop.svc.cluster.local`,
    metadata: { NAMESPACE: 'shop', LABELS: { app } },
  })
  if (!node.ok) throw new Error('node')
  return node.value
}

test('a Gateway of the Gateway API is served by the proxies of its Service, and by no other', () => {
  const snapshot = mesh()
  const ofDoor = toJson(translate(snapshot, router('127.0.0.1', 'door')).resources)
  const ofOther = toJson(translate(snapshot, router('127.0.0.2', 'other')).resources)
  expect(ofDoor.listeners).toMatchObject([{ name: '0.0.0.0_8080' }])
  expect(ofOther.listeners).toEqual([])
})

test('its routes mean what they mean there: whole path elements, 500 for what is not there, a prefix that goes leaves one slash', () => {
  const { routes } = toJson(translate(mesh(), router('127.0.0.1', 'door')).resources)
  const [host] = (routes[0] as { virtual_hosts: { routes: object[] }[] }).virtual_hosts
  expect(host?.routes).toMatchObject([
    {
      match: { path_separated_prefix: '/green.tea' },
      route: {
        cluster: 'outbound|80||tea.shop.svc.cluster.local',
        cluster_not_found_response_code: 'INTERNAL_SERVER_ERROR',
        regex_rewrite: { pattern: { regex: '^/green\\.tea(/?)(.*)' }, substitution: '/\\2' },
      },
    },
    {
      match: { path_separated_prefix: '/lost' },
      route: { weighted_clusters: { clusters: [{ weight: 1 }, { name: 'outbound|80||tea.shop.svc.cluster.local' }] } },
    },
  ])
})
