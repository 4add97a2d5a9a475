import { expect, it } from 'vitest'
import { keyOf } from './resource.js'
import { createMemorySource, type MemorySource } from './sources/memory.js'
import { createStore, type Store } from './store.js'

const entry = (name: string, address: string): string =>
  `apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: ${name}, namespace: ns}\nspec: {address: ${address}}\n`

function setUp(): { store: Store; source: MemorySource; addresses: () => Record<string, string> } {
  const store = createStore()
  const source = createMemorySource({ store })
  const addresses = (): Record<string, string> =>
    Object.fromEntries(
      store
        .snapshot()
        .list('WorkloadEntry')
        .map(({ metadata, spec }) => [metadata.name, spec.address]),
    )
  return { store, source, addresses }
}

it('makes one batch of several files', () => {
  const { store, source, addresses } = setUp()
  const revisions: number[] = []
  store.subscribe(({ revision }) => revisions.push(revision))
  source.apply({ 'a.yaml': entry('a', '1.1.1.1'), 'b.yaml': entry('b', '1.1.1.2') })
  expect(addresses()).toEqual({ a: '1.1.1.1', b: '1.1.1.2' })
  source.apply({ 'a.yaml': undefined, 'b.yaml': entry('c', '1.1.1.3') })
  expect(addresses()).toEqual({ c: '1.1.1.3' })
  expect(revisions).toEqual([1, 2])
})

it('changes nothing for a comment, and still finds the line anew', () => {
  const { store, source } = setUp()
  source.set('a.yaml', entry('a', '1.1.1.1'))
  const before = store.snapshot()
  source.set('a.yaml', `# a comment\n# and one more\n${entry('a', '1.1.1.1')}`)
  expect(store.snapshot()).toBe(before)
  expect(source.origins.locate('WorkloadEntry ns/a', 'spec.address')).toEqual({ file: 'a.yaml', line: 6, column: 8 })
})

it('keeps the last good version of a bad document, and drops what was removed beside it', () => {
  const { source, addresses } = setUp()
  source.set('a.yaml', `${entry('a', '1.1.1.1')}---\n${entry('b', '1.1.1.2')}---\n${entry('c', '1.1.1.3')}`)
  source.set('a.yaml', `${entry('a', '"???"')}---\n${entry('b', '2.2.2.2')}`)
  expect(addresses()).toEqual({ a: '1.1.1.1', b: '2.2.2.2' })
  expect(source.diagnostics.current.map(({ code, severity }) => [code, severity])).toEqual([
    ['config.address', 'error'],
    ['config.kept', 'info'],
  ])
  source.set('a.yaml', entry('b', '2.2.2.2'))
  expect(addresses()).toEqual({ b: '2.2.2.2' })
  expect(source.diagnostics.current).toEqual([])
})

it('keeps all of a file of which some document cannot be read', () => {
  const { source, addresses } = setUp()
  source.set('a.yaml', `${entry('a', '1.1.1.1')}---\n${entry('b', '1.1.1.2')}`)
  source.set('a.yaml', `${entry('a', '9.9.9.9')}---\n: [`)
  expect(addresses()).toEqual({ a: '9.9.9.9', b: '1.1.1.2' })
})

it('takes an object of two files from the first by name, whatever came first', () => {
  const { source, addresses } = setUp()
  source.set('b.yaml', entry('a', '2.2.2.2'))
  source.set('a.yaml', entry('a', '1.1.1.1'))
  expect(addresses()).toEqual({ a: '1.1.1.1' })
  expect(source.diagnostics.current).toMatchObject([{ code: 'config.duplicate', origin: { file: 'b.yaml', line: 1 } }])
  source.set('a.yaml', undefined)
  expect(addresses()).toEqual({ a: '2.2.2.2' })
  expect(source.diagnostics.current).toEqual([])
})

it('orders by age, then by name.namespace as Istio does', () => {
  const { store, source } = setUp()
  const rule = (name: string, namespace: string, time?: string): string =>
    `apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: ${name}, namespace: ${namespace}${time === undefined ? '' : `, creationTimestamp: "${time}"`}}\nspec: {host: h}\n`
  source.set(
    'a.yaml',
    [
      rule('b', 'x', '2024-01-01T00:00:00Z'),
      rule('c', 'x'),
      rule('a', 'z', '2024-01-01T00:00:00Z'),
      rule('a', 'b', '2025-01-01T00:00:00Z'),
    ].join('---\n'),
  )
  expect(store.snapshot().list('DestinationRule').map(keyOf)).toEqual([
    'DestinationRule x/c',
    'DestinationRule z/a',
    'DestinationRule x/b',
    'DestinationRule b/a',
  ])
})

const TEA = `apiVersion: v1
kind: Service
metadata: {name: tea, namespace: ns}
spec: {selector: {app: tea}, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: tea-v1, namespace: ns}
spec: {template: {metadata: {labels: {app: tea}}}}
`

it('tells which service has no endpoints because what it selects has no address, until it has one', () => {
  const source = createMemorySource({ store: createStore({ endpointsFromPods: true }) })
  source.set('tea.yaml', TEA)
  expect(source.diagnostics.current).toMatchObject([
    {
      code: 'config.no_endpoints',
      severity: 'warning',
      subject: 'Service ns/tea',
      origin: { file: 'tea.yaml', line: 1 },
      message: expect.stringMatching(/^has no endpoints: Deployment ns\/tea-v1 has no address; write a WorkloadEntry /),
    },
  ])
  source.set('where.yaml', entry('tea-v1', '10.0.0.7').replace('spec: {', 'spec: {labels: {app: tea}, '))
  expect(source.diagnostics.current).toEqual([])
})

it('tells of a service whose pods run, though the slices here name none of its own', () => {
  const source = createMemorySource({ store: createStore({ endpointsFromPods: true }) })
  const pod = 'apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: ns, labels: {app: tea}}\nstatus: {podIP: 10.0.0.7}\n'
  const milk = `${TEA.split('---')[0]}`.replaceAll('tea', 'milk')
  const slice =
    'apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: m, namespace: ns, labels: {kubernetes.io/service-name: milk}}\naddressType: IPv4\nendpoints: []\n'
  source.apply({ 'tea.yaml': `${TEA.split('---')[0]}---\n${pod}`, 'milk.yaml': `${milk}---\n${slice}` })
  expect(source.diagnostics.current).toMatchObject([
    { subject: 'Service ns/tea', message: expect.stringMatching(/^has no endpoints though it selects Pod ns\/p: /) },
  ])
})

it('says nothing of endpoints where a cluster has them', () => {
  const { source } = setUp()
  source.set('tea.yaml', TEA)
  expect(source.diagnostics.current).toEqual([])
})
