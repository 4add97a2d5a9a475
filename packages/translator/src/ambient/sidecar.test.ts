import { createStore, defaultMeshConfig, readYaml } from '@heddle/config-model'
import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { ClusterLoadAssignment } from '@heddle/xds-types/envoy/config/endpoint/v3'
import type { Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import { expect, test } from 'vitest'
import { toJson } from '../output.js'
import { pilotFeatures } from '../pilot-features.js'
import { proxyFromJson } from '../proxy.js'
import { translate } from '../translate.js'

const pod = (name: string, ip: string, metadata: string): string =>
  `---\napiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: shop, ${metadata}}\nspec: {containers: []}\nstatus: {phase: Running, podIP: ${ip}}\n`
const endpoint = (ip: string, name: string): string =>
  `{addresses: ["${ip}"], conditions: {ready: true}, targetRef: {kind: Pod, name: ${name}, namespace: shop}}`
const MESH = `apiVersion: v1
kind: Service
metadata: {name: tea, namespace: shop}
spec: {clusterIP: 10.1.1.1, selector: {app: tea}, ports: [{name: tcp, port: 90}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: tea-1, namespace: shop, labels: {kubernetes.io/service-name: tea}}
addressType: IPv4
endpoints: [${endpoint('10.0.0.1', 'own')}, ${endpoint('10.0.0.2', 'ambient')}, ${endpoint('10.0.0.3', 'both')}]
ports: [{name: tcp, port: 90}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: p, namespace: shop}
spec: {rules: [{from: [{source: {namespaces: [shop]}}]}]}
${pod('own', '10.0.0.1', 'labels: {app: tea}')}
${pod('ambient', '10.0.0.2', 'labels: {app: tea}, annotations: {ambient.istio.io/redirection: enabled}')}
${pod('both', '10.0.0.3', 'labels: {app: tea, security.istio.io/tlsMode: istio, networking.istio.io/tunnel: http}')}
`

function made(env: object, rules = '') {
  const store = createStore()
  store.apply({ set: readYaml(MESH + rules, { file: 'f.yaml' }).resources })
  const proxy = proxyFromJson({ id: 'own', namespace: 'shop', ip: '10.0.0.1', metadata: { ENABLE_HBONE: 'true' } })
  if (!proxy.ok) throw new Error('no proxy')
  const { listeners, clusters, endpoints } = toJson(
    translate(store.snapshot(), proxy.value, { features: pilotFeatures({ ...env }) }).resources,
  )
  const name = 'outbound|90||tea.shop.svc.cluster.local'
  const assignment = (endpoints as ClusterLoadAssignment[]).find((one) => one.cluster_name === name)
  return {
    listeners: listeners as Listener[],
    matches: (clusters as Cluster[]).find((one) => one.name === name)?.transport_socket_matches ?? [],
    addresses: (assignment?.endpoints ?? [])
      .flatMap(({ lb_endpoints = [] }) => lb_endpoints)
      .map((one) => one.endpoint?.address?.envoy_internal_address?.endpoint_id ?? 'direct'),
  }
}

test('nothing of it without ambient mode', () => {
  const { listeners, matches, addresses } = made({})
  expect(listeners.filter(({ internal_listener }) => internal_listener !== undefined)).toEqual([])
  expect(matches.map(({ name }) => name)).toEqual(['tlsMode-istio', 'tlsMode-disabled'])
  expect(addresses).toEqual(['direct', 'direct', 'direct'])
})

test('workloads of ambient mode are called through a tunnel, unless they take mTLS of sidecars', () => {
  const env = { PILOT_ENABLE_AMBIENT: 'true' }
  expect(made(env).addresses).toEqual(['direct', '10.0.0.2:90', 'direct'])
  expect(made({ ...env, PILOT_PREFER_SENDING_HBONE: 'true' }).addresses).toEqual(['direct', '10.0.0.2:90', '10.0.0.3:90'])
  expect(made({ ...env, PILOT_ENABLE_SENDING_HBONE: 'false' }).addresses).toEqual(['direct', 'direct', 'direct'])
})

test.each([
  ['nothing', '', ['hbone', 'tlsMode-istio', 'tlsMode-disabled']],
  ['DISABLE', 'mode: DISABLE', ['hbone', 'tlsMode-disabled']],
  ['ISTIO_MUTUAL', 'mode: ISTIO_MUTUAL', ['hbone', 'tlsMode-istio']],
  ['SIMPLE', 'mode: SIMPLE', ['hbone', 'user']],
])('a rule that says %s of TLS', (_mode, tls, names) => {
  const rule = `---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: d, namespace: shop}\nspec: {host: tea, trafficPolicy: {${tls === '' ? '' : `tls: {${tls}}`}}}\n`
  expect(made({ PILOT_ENABLE_AMBIENT: 'true' }, rule).matches.map(({ name }) => name)).toEqual(names)
})

test('what comes out of a tunnel is known by the name that the tunnel left', () => {
  const { listeners } = made({ PILOT_ENABLE_AMBIENT: 'true' })
  const text = JSON.stringify(listeners.find(({ name }) => name === 'main_internal'))
  expect(text).toContain('"filter_state":{"key":"io.istio.peer_principal","string_match"')
  expect(text).not.toContain('principal_name')
  expect(JSON.stringify(listeners.find(({ name }) => name === 'virtualInbound'))).toContain('principal_name')
})

test('of tunnels only what failed is logged: what is in them is logged for itself', () => {
  const store = createStore({ meshConfig: { ...defaultMeshConfig, accessLogFile: '/dev/stdout' } })
  const proxy = proxyFromJson({ id: 'own', namespace: 'shop', ip: '10.0.0.1', metadata: { ENABLE_HBONE: 'true' } })
  if (!proxy.ok) throw new Error('no proxy')
  const features = pilotFeatures({ PILOT_ENABLE_AMBIENT: 'true' })
  const listeners = toJson(translate(store.snapshot(), proxy.value, { features }).resources).listeners as Listener[]
  const text = (wanted: string): string => JSON.stringify(listeners.find(({ name }) => name === wanted))
  expect(text('connect_originate')).toContain('"filter":{"response_flag_filter":{"flags":["UF"]}}')
  expect(text('connect_terminate')).toContain(
    '"filter":{"status_code_filter":{"comparison":{"op":"GE","value":{"default_value":400',
  )
})
