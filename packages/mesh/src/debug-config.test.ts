import { createStore } from '@heddle/config-model'
import { createMemorySource } from '@heddle/config-model/sources'
import { expect, test } from 'vitest'
import { configz, endpointz, endpointzBrief } from './debug-config.js'

const YAML = `
apiVersion: v1
kind: Service
metadata: {name: tea, namespace: shop}
spec: {selector: {app: tea}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: tea-1, namespace: shop}
spec: {address: 10.0.0.7, labels: {app: tea}, serviceAccount: brewer}
---
apiVersion: v1
kind: Secret
metadata: {name: key, namespace: shop}
stringData: {tls.key: nobody-may-read-this}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: tea, namespace: shop}
spec: {hosts: [tea], http: [{route: [{destination: {host: tea}}]}]}
`

test('the debug pages show endpoints by service and port, and configuration without Secrets', () => {
  const store = createStore()
  createMemorySource({ store }).apply({ 'all.yaml': YAML })
  const snapshot = store.snapshot()
  expect(endpointz(snapshot)).toMatchObject([
    { svc: 'tea.shop.svc.cluster.local:http', ep: [{ address: '10.0.0.7', port: 8080, serviceAccount: 'brewer' }] },
  ])
  expect(endpointzBrief(snapshot)).toBe('tea.shop.svc.cluster.local:http 10.0.0.7:8080 {"app":"tea"} brewer\n')
  expect(
    configz(snapshot)
      .map((one) => (one as { kind: string }).kind)
      .sort(),
  ).toEqual(['VirtualService', 'WorkloadEntry'])
  expect(JSON.stringify(configz(snapshot))).not.toContain('nobody-may-read-this')
})
