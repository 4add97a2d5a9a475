import { describe, expect, it } from 'vitest'
import { readYaml } from './read.js'
import { createStore, type Store } from './store.js'

const APPS = `
apiVersion: v1
kind: Service
metadata: {name: apps-svc-all, namespace: nolen}
spec:
  selector: {auther: nolen}
  ports: [{name: http, port: 80, targetPort: 80}, {name: grpc-x, port: 81, targetPort: named}]
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: c1, namespace: nolen, labels: {version: v1}}
spec: {address: 127.0.0.1, ports: {http: 4001}, labels: {auther: nolen, version: v0}, serviceAccount: apps}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: c2, namespace: nolen}
spec: {address: 127.0.0.2, ports: {named: 99}, labels: {auther: nolen, version: v2}}
`

function storeOf(text: string): Store {
  const store = createStore()
  const read = readYaml(text, { file: 'apps.yaml' })
  expect(read.diagnostics).toEqual([])
  store.apply({ set: read.resources })
  return store
}

describe('createStore', () => {
  it('finds the WorkloadEntries behind a Service, with their own ports', () => {
    const snapshot = storeOf(APPS).snapshot()
    const [service] = snapshot.servicesOf('apps-svc-all.nolen.svc.cluster.local')
    expect(service).toMatchObject({
      name: 'apps-svc-all',
      resolution: 'ClientSideLB',
      ports: [{ protocol: 'HTTP' }, { protocol: 'GRPC' }],
    })
    expect(snapshot.endpoints(service!, 'http')).toMatchObject([
      {
        address: '127.0.0.1',
        port: 4001,
        tlsMode: 'istio',
        labels: { version: 'v1', auther: 'nolen' },
        workloadName: 'c1',
        serviceAccount: 'apps',
      },
      { address: '127.0.0.2', port: 80, tlsMode: 'disabled' },
    ])
    // A named target port that the workload does not have leaves it out.
    expect(snapshot.endpoints(service!, 'grpc-x')).toMatchObject([{ address: '127.0.0.2', port: 99 }])
    expect(snapshot.endpoints(service!, 'nope')).toEqual([])
  })

  it('keeps the very same lists when nothing of theirs changed', () => {
    const store = storeOf(APPS)
    const before = store.snapshot()
    store.apply({ set: readYaml(APPS.replaceAll('4001', '4002'), { file: 'x' }).resources })
    const after = store.snapshot()
    expect(after.revision).toBe(before.revision + 1)
    expect(after.services).toBe(before.services)
    expect(after.list('Service')).toBe(before.list('Service'))
    expect(after.list('WorkloadEntry')).not.toBe(before.list('WorkloadEntry'))
    const service = after.services[0]!
    expect(after.endpoints(service, 'http')[0]!.port).toBe(4002)
    expect(before.endpoints(service, 'http')[0]!.port).toBe(4001)
    expect(after.endpoints(service, 'grpc-x')).toBe(before.endpoints(service, 'grpc-x'))
  })

  it('has one revision a batch, and none for a batch that changes nothing', () => {
    const store = storeOf(APPS)
    const seen: number[] = []
    store.subscribe((snapshot) => seen.push(snapshot.revision))
    const { revision } = store
    expect(store.apply({ set: readYaml(APPS, { file: 'x' }).resources })).toBe(revision)
    expect(store.remove('WorkloadEntry nolen/c1', 'WorkloadEntry nolen/c2')).toBe(revision + 1)
    expect(store.remove('WorkloadEntry nolen/c1')).toBe(revision + 1)
    expect(seen).toEqual([revision + 1])
  })
})
