import { type AnyResource, createStore, readYaml } from '@heddle/config-model'
import { equal } from '@heddle/runtime'
import { createSeededRandom } from '@heddle/runtime/testing'
import { expect, test } from 'vitest'
import { type Provenance, type ProxyDescriptor, proxyFromJson, type Translation, translate } from '../src/index.js'

const PAIRS = 500

const MESH = `
apiVersion: v1
kind: Service
metadata: {name: tea, namespace: shop}
spec: {clusterIP: 10.9.0.1, selector: {app: tea}, ports: [{name: http, port: 80, targetPort: 8080}, {name: grpc, port: 81, targetPort: 8081}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: tea-1, namespace: shop, labels: {kubernetes.io/service-name: tea}}
addressType: IPv4
ports: [{name: http, port: 8080}, {name: grpc, port: 8081}]
endpoints: [{addresses: [10.1.0.1]}, {addresses: [10.1.0.2]}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: cake, namespace: shop}
spec:
  hosts: [cake.example.com]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}, {number: 7070, name: tcp, protocol: TCP}]
  endpoints: [{address: 10.2.0.1, labels: {version: v1}, weight: 3}, {address: 10.2.0.2, labels: {version: v2}, weight: 5}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: tea, namespace: shop}
spec:
  hosts: [tea]
  http:
    - match: [{uri: {prefix: /green}}, {headers: {x-kind: {exact: green}}}]
      timeout: 2s
      retries: {attempts: 3, perTryTimeout: 1s}
      rewrite: {uri: /herbal}
      route: [{destination: {host: tea}}]
    - fault: {delay: {fixedDelay: 3s, percentage: {value: 10}}}
      route: [{destination: {host: tea}, weight: 30}, {destination: {host: cake.example.com}, weight: 70}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: door, namespace: shop}
spec:
  hosts: [shop.example.com]
  gateways: [door]
  http:
    - {match: [{uri: {prefix: /tea}}], timeout: 4s, route: [{destination: {host: tea, port: {number: 80}}}]}
    - {match: [{uri: {exact: /cake}}], route: [{destination: {host: cake.example.com, subset: v1, port: {number: 80}}}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: door, namespace: shop}
spec: {selector: {app: door}, servers: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: [shop.example.com]}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: cake, namespace: shop}
spec:
  host: cake.example.com
  trafficPolicy:
    connectionPool: {tcp: {maxConnections: 7, connectTimeout: 3s}, http: {http1MaxPendingRequests: 9}}
    outlierDetection: {consecutive5xxErrors: 4, interval: 5s, baseEjectionTime: 30s}
  subsets:
    - {name: v1, labels: {version: v1}, trafficPolicy: {connectionPool: {tcp: {maxConnections: 11}}}}
    - {name: v2, labels: {version: v2}}
`

const RESOURCES = readYaml(MESH, { file: 'mesh.yaml' }).resources

function proxyOf(json: object): ProxyDescriptor {
  const read = proxyFromJson(json)
  if (!read.ok) throw new Error('not a proxy')
  return read.value
}

const PROXIES = [
  proxyOf({ id: 'client', namespace: 'shop', ip: '10.0.0.1', labels: { app: 'client' } }),
  proxyOf({ id: 'door', type: 'router', namespace: 'shop', ip: '10.0.0.2', labels: { app: 'door' } }),
]

function translated(resources: readonly AnyResource[]): readonly Translation[] {
  const store = createStore({ allocateAddresses: false })
  store.apply({ set: resources })
  return PROXIES.map((proxy) => translate(store.snapshot(), proxy))
}

interface Leaf {
  readonly resource: AnyResource
  readonly path: string
  readonly keys: readonly (string | number)[]
}

/** Text that means nothing but itself: another text there is another rule, not a broken one. */
const FREE_TEXT = new Set(['prefix', 'exact', 'uri', 'address'])

function leavesOf(resource: AnyResource): Leaf[] {
  const leaves: Leaf[] = []
  const walk = (value: unknown, keys: readonly (string | number)[], path: string): void => {
    if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) {
        const step = Array.isArray(value) ? Number(key) : key
        walk(inner, [...keys, step], typeof step === 'number' ? `${path}[${step}]` : `${path}.${step}`)
      }
    } else if (typeof value === 'number' || (typeof value === 'string' && isFree(keys))) leaves.push({ resource, path, keys })
  }
  walk(resource.spec, [], 'spec')
  return leaves
}

function isFree(keys: readonly (string | number)[]): boolean {
  return FREE_TEXT.has(String(keys.at(-1))) || keys.at(-2) === 'addresses'
}

/** The mesh with another value at the leaves. */
function changed(leaves: readonly Leaf[]): readonly AnyResource[] {
  return RESOURCES.map((resource) => {
    const own = leaves.filter((leaf) => leaf.resource === resource)
    if (own.length === 0) return resource
    const copy = structuredClone(resource)
    for (const { keys } of own) {
      let at = copy.spec as unknown as Record<string | number, unknown>
      for (const key of keys.slice(0, -1)) at = at[key] as Record<string | number, unknown>
      const last = keys.at(-1) ?? ''
      const value = at[last]
      at[last] = typeof value === 'number' ? value + (value >= 1000 ? 1000 : 1) : anotherText(String(value))
    }
    return copy
  })
}

function anotherText(text: string): string {
  return /^[\d.]+$/.test(text) ? text.replace(/\d+$/, '77') : `${text}-2`
}

interface Place {
  readonly proxy: number
  readonly typeUrl: string
  readonly name: string
}

const nameOf = (resource: object): string => {
  const { name, cluster_name } = resource as { name?: string; cluster_name?: string }
  return cluster_name ?? name ?? ''
}

function resourcesOf(translations: readonly Translation[]): Map<string, { place: Place; resource: object }> {
  const found = new Map<string, { place: Place; resource: object }>()
  for (const [proxy, { resources }] of translations.entries())
    for (const group of resources.groups)
      for (const [typeUrl, list] of group.resources)
        for (const resource of list)
          found.set(`${proxy} ${typeUrl} ${nameOf(resource)}`, { place: { proxy, typeUrl, name: nameOf(resource) }, resource })
  return found
}

/** Fields (paths of proto names) in which two messages differ, as deep as both have them. */
function differences(a: unknown, b: unknown, path = ''): string[] {
  if (equal(a, b)) return []
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return [path]
  if (Array.isArray(a) && Array.isArray(b) && a.length !== b.length) return [path]
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length || keys.some((key) => !(key in b))) return [path]
  return keys.flatMap((key) => {
    const step = Array.isArray(a) ? `[${key}]` : /^\w+$/.test(key) ? `${path === '' ? '' : '.'}${key}` : `["${key}"]`
    return differences((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key], path + step)
  })
}

function within(path: string, around: string): boolean {
  return path === around || around === '' || path.startsWith(`${around}.`) || path.startsWith(`${around}[`)
}

function names({ kind, namespace, name, path }: Provenance, leaf: Leaf): boolean {
  const { resource } = leaf
  const same = kind === resource.kind && namespace === resource.metadata.namespace && name === resource.metadata.name
  return same && (within(leaf.path, path) || within(path, leaf.path))
}

const before = translated(RESOURCES)
const all = resourcesOf(before)
const leaves = RESOURCES.flatMap(leavesOf)
interface Changed {
  readonly translations: readonly Translation[]
  readonly resources: ReturnType<typeof resourcesOf>
}
const after = new Map<Leaf, Changed>()

function changedBy(leaf: Leaf): Changed {
  let known = after.get(leaf)
  if (known === undefined) {
    const translations = translated(changed([leaf]))
    after.set(leaf, (known = { translations, resources: resourcesOf(translations) }))
  }
  return known
}

test('whatever a change of a path changes names that path', () => {
  const unnamed: string[] = []
  for (const leaf of leaves) {
    const { translations, resources } = changedBy(leaf)
    for (const [key, { place, resource }] of resources) {
      const old = all.get(key)
      if (old === undefined) continue
      for (const field of differences(old.resource, resource)) {
        // What was not there before is named by what is there now.
        const from = [before, translations].flatMap((each) => [
          ...(each[place.proxy]?.provenance.of(place.typeUrl, place.name, field) ?? []),
        ])
        if (!from.some((one) => names(one, leaf)))
          unnamed.push(`${leaf.resource.kind} ${leaf.path} changes ${key} ${field}, which names ${JSON.stringify(from)}`)
      }
    }
  }
  expect(unnamed).toEqual([])
})

/** Every field of every resource, with the resource itself. */
function fieldsOf(resource: object): string[] {
  const fields = ['']
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [key, inner] of Object.entries(value)) {
      const step = Array.isArray(value) ? `[${key}]` : /^\w+$/.test(key) ? `${path === '' ? '' : '.'}${key}` : `["${key}"]`
      fields.push(path + step)
      walk(inner, path + step)
    }
  }
  walk(resource, '')
  return fields
}

test(`for ${PAIRS} random fields of resources a change of what they name changes the resource, and a change of what it does not name does not`, () => {
  const random = createSeededRandom(3)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)] as T
  const entries = [...all]
  const wrong: string[] = []
  let pairs = 0
  for (let tries = 0; pairs < PAIRS && tries < PAIRS * 50; tries++) {
    const [key, { place, resource }] = pick(entries)
    const field = pick(fieldsOf(resource))
    const { provenance } = before[place.proxy] as Translation
    const from = provenance.of(place.typeUrl, place.name, field)
    const [named] = from
    const own = named === undefined ? [] : leaves.filter((leaf) => names(named, leaf))
    if (named === undefined || own.length === 0) continue
    pairs++
    const where = `${key} ${field}: ${named.kind} ${named.name} ${named.path}`
    const alone = own.some((leaf) => !equal(changedBy(leaf).resources.get(key)?.resource, resource))
    // What stands there for several objects, a listener of two services, stays as long as one of them does.
    const together = (): unknown =>
      resourcesOf(translated(changed(leaves.filter((leaf) => from.some((one) => names(one, leaf)))))).get(key)?.resource
    if (!alone && equal(together(), resource)) wrong.push(`${where} changes nothing`)
    const anywhere = ['', ...fieldsOf(resource)].flatMap((path) => provenance.of(place.typeUrl, place.name, path))
    const foreign = pick(leaves.filter((leaf) => !anywhere.some((one) => names(one, leaf))))
    const now = foreign === undefined ? resource : changedBy(foreign).resources.get(key)?.resource
    if (!equal(now, resource)) wrong.push(`${where}, but ${foreign?.resource.kind} ${foreign?.path} changes it as well`)
  }
  expect(wrong).toEqual([])
  expect(pairs).toBe(PAIRS)
})
