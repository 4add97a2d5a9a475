import { expect, it } from 'vitest'
import type { WorkloadGroup } from '../kinds/workload-group.js'
import { readYaml } from '../read.js'
import { createStore } from '../store.js'
import { registerWorkload } from './workload-group.js'

const TEXT = `apiVersion: networking.istio.io/v1
kind: WorkloadGroup
metadata: {name: tea, namespace: shop}
spec:
  metadata: {labels: {app: tea, from: group}, annotations: {note: x}}
  template: {ports: {http: 8080}, serviceAccount: brewer, network: home, labels: {app: other, from: template, tier: t}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: tea, namespace: shop}
spec:
  hosts: [tea.example]
  resolution: STATIC
  location: MESH_INTERNAL
  ports: [{number: 80, name: http, protocol: HTTP}]
  workloadSelector: {labels: {app: tea}}
`

it('a workload that joins a group becomes an endpoint like its others', () => {
  const { resources, diagnostics } = readYaml(TEXT, { file: 'f' })
  expect(diagnostics).toEqual([])
  const store = createStore()
  store.apply({ set: resources })
  const group = resources[0] as WorkloadGroup
  const joining = { address: 'fd00::1', labels: { from: 'workload', 'istio-locality': 'a.b' }, network: 'away', locality: 'r/z' }
  const entry = registerWorkload(group, joining)
  expect(entry.metadata).toEqual({
    name: 'tea-fd00--1-away',
    namespace: 'shop',
    labels: { app: 'tea', from: 'workload', tier: 't' },
    annotations: { 'istio.io/autoRegistrationGroup': 'tea', note: 'x' },
  })
  store.apply({ set: [entry, registerWorkload(group, { address: '10.0.0.2' })] })
  const [service] = store.snapshot().servicesOf('tea.example')
  expect(store.snapshot().endpoints(service!, 'http')).toMatchObject([
    { address: '10.0.0.2', port: 8080, network: 'home', serviceAccount: 'brewer', tlsMode: 'istio', labels: { from: 'group' } },
    { address: 'fd00::1', port: 8080, network: 'away', locality: 'r/z', labels: { from: 'workload' } },
  ])
  store.remove('WorkloadEntry shop/tea-fd00--1-away')
  expect(store.snapshot().endpoints(service!, 'http')).toHaveLength(1)
})
