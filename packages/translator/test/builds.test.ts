import { type AnyResource, createStore } from '@heddle/config-model'
import { createSeededRandom } from '@heddle/runtime/testing'
import { expect, test } from 'vitest'
import { createTranslator, proxyFromJson } from '../src/index.js'
import { type Pick, randomResources } from './generated-mesh.js'

const BATCHES = process.env['HEDDLE_SOAK'] === '1' ? 5_000 : 400

const PROXIES = [
  { id: 'p1', namespace: 'apps', ip: '10.0.0.1', labels: { app: 'a1', version: 'v0' } },
  { id: 'p2', namespace: 'shop', ip: '10.0.0.3', labels: { app: 'a2' } },
  { id: 'door', type: 'router', namespace: 'istio-system', ip: '10.0.0.5', labels: { istio: 'ingress' } },
].map((json) => {
  const read = proxyFromJson(json)
  if (!read.ok) throw new Error('not a proxy')
  return read.value
})

/** The object as one of a namespace that keeps to itself. Addresses have no namespace: who stands at one is known everywhere. */
function hidden(given: AnyResource): AnyResource {
  const resource = JSON.parse(JSON.stringify(given).replaceAll('10.0.0.', '10.7.0.')) as AnyResource
  const metadata = {
    ...resource.metadata,
    namespace: 'away',
    annotations: { ...resource.metadata.annotations, 'networking.istio.io/exportTo': '.' },
  }
  const exported = ['VirtualService', 'DestinationRule', 'ServiceEntry'].includes(resource.kind)
  const spec = exported && 'spec' in resource ? { ...resource.spec, exportTo: ['.'] } : undefined
  return { ...resource, metadata, ...(spec === undefined ? {} : { spec }) } as AnyResource
}

/** How often groups were put together. */
const MADE = /^(group of|part) /

test(`of ${BATCHES} random batches in a namespace that nobody sees none builds a group again; what is seen does`, () => {
  const random = createSeededRandom(23)
  const pick: Pick = (n) => Math.floor(random.next() * n)
  const stock = randomResources(pick, 800)
  // A Gateway selects proxies of any namespace.
  const unseen = stock.filter(({ kind }) => kind !== 'Gateway').map(hidden)
  const store = createStore()
  const translator = createTranslator(store.snapshot())
  const stops = PROXIES.map((proxy) => translator.watch(proxy).subscribe(() => {}))
  const made = (): Record<string, number> => Object.fromEntries([...translator.builds].filter(([name]) => MADE.test(name)))
  let seen = 0
  for (let batch = 0; batch < BATCHES; batch++) {
    const at = made()
    store.apply({ set: Array.from({ length: 3 }, () => stock[pick(stock.length)] as AnyResource) })
    translator.update(store.snapshot())
    const before = made()
    if (JSON.stringify(at) !== JSON.stringify(before)) seen++
    const set = Array.from({ length: 3 }, () => unseen[pick(unseen.length)] as AnyResource)
    store.apply({ set })
    translator.update(store.snapshot())
    expect(made(), `batch ${batch}: ${set.map(({ kind, metadata }) => `${kind} ${metadata.name}`).join(', ')}`).toEqual(before)
  }
  expect(seen).toBeGreaterThan(BATCHES / 10)
  for (const stop of stops) stop()
}, 300_000)
