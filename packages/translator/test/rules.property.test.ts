import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { type AnyResource, createStore, defaultMeshConfig, readMeshConfig, readYaml } from '@heddle/config-model'
import { createSeededRandom } from '@heddle/runtime/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ProxyDescriptor, proxyFromJson, toJson, translate } from '../src/index.js'
import { randomResources } from './generated-mesh.js'
import { problemsOf } from './judge.js'

const MESHES = 2_000
const EXAMPLES = join(import.meta.dirname, '../../../examples')

function proxyOf(json: object): ProxyDescriptor {
  const read = proxyFromJson(json)
  if (!read.ok) throw new Error('not a proxy')
  return read.value
}

const SIDECAR = proxyOf({ id: 'p1', namespace: 'apps', ip: '10.0.0.1', labels: { app: 'a1' } })
const GATEWAY = proxyOf({ id: 'door', type: 'router', namespace: 'istio-system', ip: '10.0.0.5', labels: { istio: 'ingress' } })

function storeOf(resources: readonly AnyResource[]): ReturnType<typeof createStore> {
  const store = createStore()
  store.apply({ set: resources })
  return store
}

describe('generated meshes', () => {
  const random = createSeededRandom(5)
  const stock = randomResources((n) => Math.floor(random.next() * n), 3_000)
  const mesh = fc.uniqueArray(fc.nat(stock.length - 1), { minLength: 4, maxLength: 24 })
  const resourcesOf = (picks: readonly number[]): AnyResource[] => picks.map((i) => stock[i] as AnyResource)

  test(`all ${MESHES} keep the rules of Envoy's API and lead nowhere only with a diagnostic`, () => {
    fc.assert(
      fc.property(mesh, (picks) => {
        const snapshot = storeOf(resourcesOf(picks)).snapshot()
        expect([...problemsOf(snapshot, SIDECAR), ...problemsOf(snapshot, GATEWAY)]).toEqual([])
      }),
      { numRuns: MESHES, seed: 7 },
    )
  }, 600_000)

  test('are translated to the same bytes in whatever order they came', () => {
    fc.assert(
      fc.property(mesh, fc.integer(), (picks, seed) => {
        // Of two with one name the last counts, so that only one of each may be there.
        const named = new Map(resourcesOf(picks).map((r) => [`${r.kind} ${r.metadata.namespace}/${r.metadata.name}`, r]))
        const dice = createSeededRandom(seed)
        const sorted = [...named.values()].map((resource) => ({ resource, at: dice.next() })).sort((a, b) => a.at - b.at)
        const texts = [[...named.values()], sorted.map(({ resource }) => resource)].map((resources) => {
          const snapshot = storeOf(resources).snapshot()
          return [SIDECAR, GATEWAY].map((proxy) => JSON.stringify(toJson(translate(snapshot, proxy).resources)))
        })
        expect(texts[1]).toEqual(texts[0])
      }),
      { numRuns: 300, seed: 7 },
    )
  }, 200_000)
})

test('the examples keep the rules', () => {
  const folders = readdirSync(EXAMPLES).map((name) => join(EXAMPLES, name, 'config'))
  for (const folder of folders.filter((path) => existsSync(path))) {
    const yaml = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'))
    const store = storeOf(readYaml(yaml.join('\n---\n'), { file: folder }).resources)
    const snapshot = store.snapshot()
    const proxies = snapshot.services.map(({ name, namespace, selector = {} }, i) =>
      proxyOf({ id: name, namespace, ip: `10.0.1.${i}`, labels: selector }),
    )
    expect(proxies.length, folder).toBeGreaterThan(0)
    for (const proxy of [...proxies, GATEWAY]) expect(problemsOf(snapshot, proxy), `${folder} ${proxy.id}`).toEqual([])
  }
})

interface Case {
  readonly id: string
  readonly config: string
  readonly meshConfig?: string
  readonly proxies: readonly object[]
}

const data = (process.env['HEDDLE_CONFORMANCE'] ?? '')
  .split(':')
  .map((folder) => join(folder, 'istiod.json.gz'))
  .find(existsSync)
if (data === undefined) console.log('istiod.json.gz is not judged: HEDDLE_CONFORMANCE names no folder that has it')

test.skipIf(data === undefined)(
  "every proxy of istiod's cases keeps the rules",
  () => {
    const read = JSON.parse(gunzipSync(readFileSync(data ?? '')).toString()) as readonly Case[] | { cases: readonly Case[] }
    const wrong: string[] = []
    for (const { id, config, meshConfig = '', proxies } of 'cases' in read ? read.cases : read) {
      const mesh = readMeshConfig(meshConfig)
      const store = createStore({ meshConfig: mesh.ok ? mesh.value : defaultMeshConfig })
      store.apply({ set: readYaml(config, { file: id }).resources })
      for (const json of proxies) {
        const proxy = proxyFromJson(json)
        // istiod's resources for gRPC libraries break rules that those do not look at, and so do ours.
        if (proxy.ok && proxy.value.metadata['GENERATOR'] !== 'grpc')
          wrong.push(...problemsOf(store.snapshot(), proxy.value).map((problem) => `${id} ${proxy.value.id}: ${problem}`))
      }
    }
    expect(wrong).toEqual([])
  },
  200_000,
)
