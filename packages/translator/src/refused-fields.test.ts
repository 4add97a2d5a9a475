import { createStore, readYaml } from '@heddle/config-model'
import { expect, test } from 'vitest'
import { toJson } from './output.js'
import { proxyFromJson } from './proxy.js'
import { translate } from './translate.js'

const gateway = (port: string, tls: string): string => `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: shop}
spec:
  selector: {app: edge}
  servers: [{port: ${port}, hosts: ["*"], tls: ${tls}}]
`

test.each([
  ['Gateway', gateway('{number: 443, name: a, protocol: HTTPS, targetPort: 8443}', '{mode: SIMPLE, credentialName: x}')],
  [
    'Sidecar',
    `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: s, namespace: shop}
spec: {ingress: [{port: {number: 80, name: a, protocol: HTTP, targetPort: 8080}, defaultEndpoint: "127.0.0.1:80"}], egress: [{hosts: ["*/*"]}]}
`,
  ],
])('targetPort of a %s has no effect, and is refused for that', (kind, yaml) => {
  const { diagnostics } = readYaml(yaml, { file: 'a.yaml' })
  expect(diagnostics.map((d) => d.message).join()).toContain(`targetPort has no impact on ${kind}s`)
})

test('ecdhCurves of a server stand in its TLS parameters', () => {
  const store = createStore()
  const service = '\n---\napiVersion: v1\nkind: Service\nmetadata: {name: edge, namespace: shop}\nspec: {ports: [{port: 443}]}\n'
  const yaml = gateway('{number: 443, name: a, protocol: HTTPS}', '{mode: SIMPLE, credentialName: x, ecdhCurves: [P-256]}')
  store.apply({ set: readYaml(yaml + service, { file: 'a.yaml' }).resources })
  const proxy = proxyFromJson({ id: 'edge-0', type: 'router', namespace: 'shop', ip: '10.1.0.1', labels: { app: 'edge' } })
  if (!proxy.ok) throw new Error('proxy')
  expect(JSON.stringify(toJson(translate(store.snapshot(), proxy.value).resources).listeners)).toContain(
    '"ecdh_curves":["P-256"]',
  )
})
