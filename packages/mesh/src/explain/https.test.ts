import { createTestMesh } from '@heddle/mesh/testing'
import { describe, expect, test } from 'vitest'

const deployment = (name: string, namespace: string, annotations = '{}'): string =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: {template: {metadata: {labels: {app: ${name}}, annotations: ${annotations}}}}\n`
const HTTP_PROXY = `{sidecar.istio.io/interceptionMode: NONE, proxy.istio.io/config: '{"proxyMetadata": {"ISTIO_META_HTTP_PROXY_PORT": "3128"}}'}`
const APPS = [
  deployment('door', 'edge'),
  deployment('shop', 'shop'),
  deployment('client', 'shop'),
  deployment('proxied', 'shop', HTTP_PROXY),
  'apiVersion: v1\nkind: Service\nmetadata: {name: door, namespace: edge}\nspec: {selector: {app: door}, ports: [{name: https, port: 443, targetPort: 8443}]}\n',
  'apiVersion: v1\nkind: Service\nmetadata: {name: shop, namespace: shop}\nspec: {selector: {app: shop}, ports: [{name: http, port: 80}, {name: https, port: 443}]}\n',
].join('---\n')
const EDGE = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: door, namespace: edge}
spec:
  selector: {app: door}
  servers:
  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: [shop.example], tls: {mode: SIMPLE, credentialName: shop}}
  - {port: {number: 443, name: tls, protocol: TLS}, hosts: [through.example], tls: {mode: PASSTHROUGH}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: edge}
spec:
  hosts: [shop.example]
  gateways: [door]
  http: [{match: [{uri: {prefix: /cart}}], route: [{destination: {host: shop.shop.svc.cluster.local, port: {number: 80}}}]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: through, namespace: edge}
spec:
  hosts: [through.example]
  gateways: [door]
  tls: [{match: [{sniHosts: [through.example]}], route: [{destination: {host: shop.shop.svc.cluster.local, port: {number: 443}}}]}]
`

describe('https', () => {
  const mesh = createTestMesh({ files: { 'apps.yaml': APPS, 'edge.yaml': EDGE } })
  const stagesOf = async (from: string, url: string): Promise<readonly string[]> =>
    (await mesh.request(from, url)).explanation.stages.map(({ stage }) => stage)

  test('a gateway that ends TLS sees the request, on the port that its Service takes 443 for', async () => {
    await mesh.expectReach('shop', 'door', 'https://shop.example/cart')
    await mesh.expectRefused(404, 'door', 'https://shop.example/elsewhere')
    const { hops } = (await mesh.request('door', 'https://shop.example/cart')).explanation
    expect(hops[0]?.stages[0]?.name).toBe('0.0.0.0_8443')
    expect(hops.map(({ terminatesTls }) => terminatesTls)).toEqual([true, true])
  })

  test('what a gateway passes through goes by the name in the ClientHello, and nobody sees the request', async () => {
    await mesh.expectReach('shop', 'door', 'https://through.example/anything')
    expect(await stagesOf('door', 'https://through.example/')).not.toContain('route')
    expect((await mesh.request('door', 'https://unknown.example/')).refusal).toContain('filter_chain_not_found')
  })

  test('what an application encrypts passes its sidecar as bytes, in mTLS to a workload of the mesh', async () => {
    await mesh.expectReach('shop', 'client', 'https://shop/')
    expect(await stagesOf('client', 'https://shop/')).not.toContain('route')
    expect((await mesh.request('client', 'https://www.example.org/')).refusal).toMatch(/^leaves for .* \(PassthroughCluster\)$/)
  })

  test('what cannot be is refused with what to do instead', async () => {
    await expect(mesh.request('proxied', 'https://shop/')).rejects.toThrow(/by CONNECT.*ask for http:\/\//)
    await expect(mesh.request('client', 'ftp://shop/')).rejects.toThrow(/write http:\/\/host\[:port\]\/path or https:/)
  })
})
