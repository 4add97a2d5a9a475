import { type AnyResource, createStore, type ResourceKey } from '@heddle/config-model'
import { equal } from '@heddle/runtime'
import { createSeededRandom } from '@heddle/runtime/testing'
import type { ResourceSet } from '@heddle/xds-types'
import { expect, test } from 'vitest'
import { createTranslator, type ProxyDescriptor, proxyFromJson, toJson, translate } from '../src/index.js'
import { type Pick, randomResources } from './generated-mesh.js'

const BATCHES = process.env['HEDDLE_SOAK'] === '1' ? 50_000 : 5_000

function proxyOf(json: object): ProxyDescriptor {
  const read = proxyFromJson(json)
  if (!read.ok) throw new Error('not a proxy')
  return read.value
}

const PROXIES = [
  proxyOf({ id: 'p1', namespace: 'apps', ip: '10.0.0.1', labels: { app: 'a1', version: 'v0' } }),
  proxyOf({ id: 'p2', namespace: 'apps', ip: '10.0.0.2', labels: { app: 'a1', version: 'v1' } }),
  proxyOf({ id: 'p3', namespace: 'shop', ip: '10.0.0.3', labels: { app: 'a2' }, locality: 'r1/z1' }),
  proxyOf({ id: 'p4', namespace: 'apps', ip: '10.0.0.4', labels: { app: 'a3' }, metadata: { HEDDLE_STOCK_ENVOY: 'true' } }),
  // Alike in what the first ask and not in what comes later, by turns.
  proxyOf({ id: 'p5', namespace: 'apps', ip: '10.0.0.6', labels: { app: 'a1', version: 'v1' }, cluster: 'away' }),
  proxyOf({ id: 'p6', namespace: 'apps', ip: '10.0.0.7', labels: { app: 'a1', version: 'v0' }, cluster: 'away' }),
  proxyOf({ id: 'p7', namespace: 'apps', ip: '10.0.0.8', labels: { app: 'a2' }, cluster: 'away', locality: 'r1/z1' }),
  proxyOf({ id: 'door', type: 'router', namespace: 'istio-system', ip: '10.0.0.5', labels: { istio: 'ingress' } }),
]

const keyOf = ({ kind, metadata }: AnyResource): ResourceKey => `${kind} ${metadata.namespace}/${metadata.name}`

/** A group whose resources are what they were is the group that it was. */
function keepsWhatIsEqual(before: ResourceSet | undefined, after: ResourceSet, where: string): void {
  for (const group of after.groups) {
    const old = before?.groups.find(({ id }) => id === group.id)
    if (old !== undefined && old !== group) expect(equal(old.resources, group.resources), `${where}: ${group.id}`).toBe(false)
  }
}

test(`after each of ${BATCHES} random batches every proxy has what one shot gives`, () => {
  const random = createSeededRandom(11)
  const pick: Pick = (n) => Math.floor(random.next() * n)
  // Reading YAML is slow: a stock of objects to draw from.
  const stock = randomResources(pick, 2_000)
  const store = createStore()
  const translator = createTranslator(store.snapshot())
  const watches = PROXIES.map((proxy) => ({ proxy, watch: translator.watch(proxy), stop: () => {} }))
  const told = new Map<ProxyDescriptor, unknown>()
  for (const one of watches) {
    const { proxy, watch } = one
    told.set(proxy, watch.current)
    one.stop = watch.subscribe((set) => {
      expect(set, 'told without a change').not.toBe(told.get(proxy))
      told.set(proxy, set)
    })
  }
  const present = new Set<ResourceKey>()
  for (let batch = 0; batch < BATCHES; batch++) {
    const set = Array.from({ length: 1 + pick(3) }, () => stock[pick(stock.length)] as AnyResource)
    const remove = [...present].filter(() => pick(20) === 0)
    for (const key of remove) present.delete(key)
    for (const resource of set) present.add(keyOf(resource))
    const before = watches.map(({ watch }) => watch.current)
    store.apply({ set, remove })
    translator.update(store.snapshot())
    // All are told at each batch; one is compared, another one each time.
    const one = watches[batch % watches.length]
    if (one === undefined) break
    keepsWhatIsEqual(before[batch % watches.length], one.watch.current, `${one.proxy.id} after batch ${batch}`)
    expect(one.watch.current).toBe(told.get(one.proxy))
    const wanted = JSON.stringify(toJson(translate(store.snapshot(), one.proxy).resources))
    const has = JSON.stringify(toJson(one.watch.current))
    if (has !== wanted) expect(JSON.parse(has), `${one.proxy.id} after batch ${batch}`).toEqual(JSON.parse(wanted))
  }
  for (const { stop } of watches) stop()
}, 600_000)
