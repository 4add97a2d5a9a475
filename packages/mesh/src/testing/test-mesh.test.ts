import { describe, expect, test } from 'vitest'
import { createTestMesh } from './test-mesh.js'

const service = (name: string, selector: string): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}, namespace: shop}\nspec:\n  selector: {${selector}}\n  ports: [{name: http, port: 80}]\n`
const deployment = (name: string, labels: string): string =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ${name}, namespace: shop}\nspec:\n  template:\n    metadata: {labels: {${labels}}}\n    spec: {serviceAccountName: ${name}}\n`
const routes = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: cart, namespace: shop}
spec:
  hosts: [cart]
  http:
  - match:
    - headers: {beta: {exact: 'yes'}}
    route: [{destination: {host: cart-v2}}]
  - route: [{destination: {host: cart}}]
`
const policy = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: readers, namespace: shop}
spec:
  selector: {matchLabels: {version: v1}}
  rules:
  - from: [{source: {principals: [cluster.local/ns/shop/sa/client]}}]
    to: [{operation: {methods: [GET]}}]
`
const apps = [
  service('cart', 'version: v1'),
  service('cart-v2', 'version: v2'),
  deployment('v1', 'version: v1'),
  deployment('v2', 'version: v2'),
  deployment('client', 'app: client'),
].join('---\n')

const files = (extra: Record<string, string> = {}): Record<string, string> => ({
  'apps.yaml': apps,
  'routes.yaml': routes,
  ...extra,
})

describe('where requests go', () => {
  const mesh = createTestMesh({ files: files() })

  test('by header', async () => {
    await mesh.expectReach('v2', 'client', 'http://cart/', { headers: { beta: 'yes' } })
    await mesh.expectReach('v1.shop', 'client.shop', 'http://cart.shop/')
    await mesh.expectReach('v1', 'shop/client', 'http://cart.shop.svc.cluster.local:80/x?y')
  })

  test('a miss is explained down to the line', async () => {
    const miss = mesh.expectReach('v2', 'client', 'http://cart/', { headers: { beta: 'no' } })
    await expect(miss).rejects.toThrow(/should reach v2, but reaches v1\.shop/)
    await expect(miss).rejects.toThrow(
      /header beta is "no", wanted exact "yes".*routes\.yaml:\d+ VirtualService shop\/cart spec\.http\[0\]\.match\[0\]/,
    )
  })

  test('the explanation names the line of each stage', async () => {
    const { explanation } = await mesh.request('client', 'http://cart/')
    expect(explanation.hops.map(({ proxy, direction }) => `${proxy} ${direction}`)).toEqual([
      'client.shop outbound',
      'v1.shop inbound',
    ])
    const origins = explanation.hops[0]?.stages.flatMap(({ stage, origin }) =>
      origin === undefined ? [] : [`${stage} ${origin.file}`],
    )
    expect(origins).toEqual(expect.arrayContaining(['route routes.yaml', 'cluster apps.yaml']))
  })

  test('an unknown host leaves the mesh, an unknown workload is an error that lists those there are', async () => {
    expect((await mesh.request('client', 'http://elsewhere.example/')).workload).toBeUndefined()
    await expect(mesh.request('nobody', 'http://cart/')).rejects.toThrow(
      /there is no workload nobody; there are client\.shop, v1\.shop, v2\.shop/,
    )
    await expect(mesh.request('client', 'cart')).rejects.toThrow(/is no URL of HTTP: write http:/)
  })
})

test('policies of the called side count', async () => {
  const mesh = createTestMesh({ files: files({ 'policy.yaml': policy }) })
  await mesh.expectReach('v1', 'client', 'http://cart/')
  await mesh.expectRefused(403, 'client', 'http://cart/', { method: 'POST' })
  await mesh.expectRefused(403, 'v2', 'http://cart/')
  await expect(mesh.expectRefused(403, 'client', 'http://cart/')).rejects.toThrow(/should be refused with 403/)
})

test('weights spread, the same every time', async () => {
  const weighted = routes.replace(
    'route: [{destination: {host: cart}}]',
    'route: [{destination: {host: cart}, weight: 75}, {destination: {host: cart-v2}, weight: 25}]',
  )
  const spread = (): Promise<Record<string, number>> =>
    createTestMesh({ files: files({ 'routes.yaml': weighted }) }).spread(400, 'client', 'http://cart/')
  const first = await spread()
  expect(first['v2']).toBeGreaterThan(75)
  expect(first['v2']).toBeLessThan(125)
  expect(await spread()).toEqual(first)
})

test('configuration with an error is no base for a test', () => {
  expect(() => createTestMesh({ files: files({ 'routes.yaml': routes.replace('hosts: [cart]', 'hots: [cart]') }) })).toThrow(
    /routes\.yaml:\d+: error/,
  )
})
