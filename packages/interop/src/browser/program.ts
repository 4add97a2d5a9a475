import { createStore, readYaml } from '@heddle/config-model'
import { contentHash, createGraph, createSource, derive, parseSpiffeId } from '@heddle/runtime'
import { proxyFromJson, translate } from '@heddle/translator'
import { resourceTypes } from '@heddle/xds-types/known'

const CONFIG = `apiVersion: v1
kind: Service
metadata: {name: tea, namespace: shop}
spec: {clusterIP: 10.0.0.1, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: tea, namespace: shop}
spec: {hosts: [tea], http: [{match: [{uri: {regex: '/t.a/[0-9]+'}}], timeout: 2s, route: [{destination: {host: tea}}]}]}
---
kind: VirtualService
apiVersion: networking.istio.io/v1
metadata: {name: wrong, namespace: shop}
spec: {hots: [tea]}
`

/** What the four packages that a browser can run make of one small mesh; the same wherever it is called. */
export interface Report {
  /** Of the YAML, with its line. */
  readonly diagnostics: readonly string[]
  /** Type and name of each resource with the length and the hash of its encoded bytes. */
  readonly resources: readonly string[]
  /** Read back from the bytes. */
  readonly routes: unknown
  readonly derived: readonly string[]
  readonly trustDomain: string | undefined
}

export function runPackages(): Report {
  const read = readYaml(CONFIG, { file: 'shop.yaml' })
  const store = createStore()
  store.apply({ set: read.resources })
  const proxy = proxyFromJson({ id: 'client-0', namespace: 'shop', ip: '10.0.1.5' })
  if (!proxy.ok) throw new Error(proxy.diagnostics[0]?.message)
  const { groups } = translate(store.snapshot(), proxy.value).resources
  const encoded = groups.flatMap(({ resources }) =>
    [...resources].flatMap(([typeUrl, list]) => {
      const type = resourceTypes.find((one) => one.typeUrl === typeUrl)
      if (type === undefined) throw new Error(`no type ${typeUrl}`)
      return list.map((resource) => ({ type, name: type.nameOf(resource), bytes: type.encode(resource) }))
    }),
  )
  const route = encoded.find(({ type, name }) => type.typeUrl.endsWith('RouteConfiguration') && name === '80')
  const spiffe = parseSpiffeId('spiffe://shop.example/ns/shop/sa/tea')
  return {
    diagnostics: read.diagnostics.map(({ origin, message }) => `${origin?.file}:${origin?.line} ${message}`),
    resources: encoded.map(({ type, name, bytes }) => `${type.typeUrl} ${name} ${bytes.length} ${contentHash(bytes)}`),
    routes: route?.type.decode(route.bytes),
    derived: derivedNames(),
    trustDomain: spiffe.ok ? spiffe.value.trustDomain : undefined,
  }
}

function derivedNames(): readonly string[] {
  const graph = createGraph()
  const source = createSource<number>({ graph, name: 'numbers' })
  const doubled = derive(source, (value) => value * 2, { name: 'doubled' })
  graph.batch(() => {
    for (const value of [1, 2, 3]) source.set(`n${value}`, value)
  })
  return [...doubled.entries()].map(([key, value]) => `${key}=${value}`)
}
