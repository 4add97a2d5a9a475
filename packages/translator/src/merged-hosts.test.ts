import { createStore, readYaml, type StoreOptions } from '@heddle/config-model'
import { expect, it } from 'vitest'
import { proxyFromNode, toJson, translate } from './index.js'

const virtualService = (name: string, time: string, hosts: string, http: string): string =>
  `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ${name}, namespace: shop, creationTimestamp: "${time}"}
spec: {hosts: ${hosts}, http: ${http}}
`
const MESH = [
  'apiVersion: v1\nkind: Service\nmetadata: {name: tea, namespace: shop}\nspec: {clusterIP: 10.0.0.1, ports: [{name: http, port: 80}]}\n',
  'apiVersion: v1\nkind: Service\nmetadata: {name: milk, namespace: shop}\nspec: {clusterIP: 10.0.0.2, ports: [{name: http, port: 80}]}\n',
  virtualService(
    'young',
    '2024-01-02T00:00:00Z',
    '[tea]',
    '[{name: b, match: [{uri: {prefix: /b}}], route: [{destination: {host: milk}}]}]',
  ),
  virtualService(
    'old',
    '2024-01-01T00:00:00Z',
    '[tea, milk]',
    '[{name: a, match: [{uri: {prefix: /a}}], route: [{destination: {host: tea}}]}, {name: rest, route: [{destination: {host: tea}}]}]',
  ),
].join('---\n')

function routesOf(options: StoreOptions): Readonly<Record<string, readonly unknown[]>> {
  const store = createStore(options)
  store.apply({ set: readYaml(MESH, { file: 'f' }).resources })
  const proxy = proxyFromNode({ id: 'sidecar~10.1.0.1~x.shop~shop.svc.cluster.local', metadata: {} })
  if (!proxy.ok) throw new Error('no proxy')
  const { resources } = translate(store.snapshot(), proxy.value)
  const routes = Object.values(toJson(resources)).flat() as unknown as {
    name?: string
    virtual_hosts?: { name: string; routes: { name: string }[] }[]
  }[]
  const port = routes.find((one) => one.name === '80' && one.virtual_hosts !== undefined)
  return Object.fromEntries((port?.virtual_hosts ?? []).map((host) => [host.name, host.routes.map(({ name }) => name)]))
}

it('of one host the oldest counts, as in Istio', () => {
  expect(routesOf({})).toMatchObject({
    'tea.shop.svc.cluster.local:80': ['a', 'rest'],
    'milk.shop.svc.cluster.local:80': ['a', 'rest'],
  })
})

it('of one host all count where the store says so, what matches everything last', () => {
  expect(routesOf({ sidecarHosts: 'merge' })).toMatchObject({
    'tea.shop.svc.cluster.local:80': ['a', 'b', 'rest'],
    'milk.shop.svc.cluster.local:80': ['a', 'rest'],
  })
})
