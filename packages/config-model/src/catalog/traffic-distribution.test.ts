import { describe, expect, test } from 'vitest'
import { readYaml } from '../read.js'
import { createStore } from '../store.js'

const ANNOTATION = 'networking.istio.io/traffic-distribution'
const annotated = (said: string | undefined): string => (said === undefined ? '{}' : `{${ANNOTATION}: ${said}}`)
const namespace = (said: string | undefined): string =>
  `apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, annotations: ${annotated(said)}}\n`
const OBJECTS = {
  Service: (said?: string, spec = ''): string =>
    `apiVersion: v1\nkind: Service\nmetadata: {name: tea, namespace: shop, annotations: ${annotated(said)}}\nspec: {ports: [{port: 80}]${spec}}\n`,
  ServiceEntry: (said?: string): string =>
    `apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: tea, namespace: shop, annotations: ${annotated(said)}}\nspec: {hosts: [tea.example], ports: [{number: 80, name: http, protocol: HTTP}]}\n`,
}

function storeOf(...documents: string[]): ReturnType<typeof createStore> {
  const store = createStore()
  store.apply({ set: readYaml(documents.join('---\n'), { file: 'shop.yaml' }).resources })
  return store
}

function distribution(...documents: string[]): string | undefined {
  const { services } = storeOf(...documents).snapshot()
  expect(services).toHaveLength(1)
  return services[0]?.trafficDistribution
}

describe.each(['Service', 'ServiceEntry'] as const)('%s', (kind) => {
  test.each([
    ['nobody says anything', undefined, undefined, undefined],
    ['its own annotation', 'PreferClose', undefined, 'PreferSameZone'],
    ['in any case', 'PREFERSAMENODE', undefined, 'PreferSameNode'],
    ['that of its namespace', undefined, 'preferSameZone', 'PreferSameZone'],
    ['its own before that of its namespace', 'PreferSameNode', 'PreferClose', 'PreferSameNode'],
    ['any, against its namespace', 'any', 'PreferClose', undefined],
    ['nonsense of its namespace', undefined, 'nearby', undefined],
  ])('%s', (_, own, ofNamespace, wanted) => {
    expect(distribution(namespace(ofNamespace), OBJECTS[kind](own))).toBe(wanted)
  })

  test('a namespace that comes to say so changes it, and one whose labels change does not', () => {
    const store = storeOf(OBJECTS[kind]())
    const before = store.snapshot().services[0]
    const set = (text: string): void => void store.apply({ set: readYaml(text, { file: 'shop.yaml' }).resources })
    set('apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {istio-injection: enabled}}\n')
    expect(store.snapshot().services[0]).toBe(before)
    set(namespace('PreferSameNode'))
    expect(store.snapshot().services[0]?.trafficDistribution).toBe('PreferSameNode')
  })
})

test('the field of a Service comes first', () => {
  const service = OBJECTS.Service('PreferClose', ', trafficDistribution: PreferSameNode')
  expect(distribution(namespace('PreferClose'), service)).toBe('PreferSameNode')
})
