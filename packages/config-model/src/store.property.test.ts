import { type Collection, equal } from '@heddle/runtime'
import { createSeededRandom } from '@heddle/runtime/testing'
import { expect, it } from 'vitest'
import { decodeResource } from './decode/resource.js'
import type { AnyResource } from './kinds/index.js'
import { keyOf, type ResourceKey } from './resource.js'
import type { MeshSnapshot } from './snapshot.js'
import { createStore, type Store } from './store.js'

const BATCHES = 10_000
/** A new mesh after as many, so that there are many beginnings. */
const HISTORY = 100

type Pick = (n: number) => number

const NETWORKING = 'networking.istio.io/v1'
const SECURITY = 'security.istio.io/v1'

// Small sets of names, so that batches meet; every kind that a collection is derived from.
const MAKERS: readonly ((pick: Pick, app: string) => object)[] = [
  (pick, app) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: `s${pick(4)}` },
    spec: { selector: { app }, ports: [{ name: 'http', port: 80, targetPort: 80 + pick(3) }] },
  }),
  (pick, app) => ({
    apiVersion: NETWORKING,
    kind: 'WorkloadEntry',
    metadata: { name: `w${pick(5)}` },
    spec: { address: `10.0.0.${pick(5)}`, labels: { app } },
  }),
  (pick, app) => ({
    apiVersion: NETWORKING,
    kind: 'ServiceEntry',
    metadata: { name: `e${pick(3)}`, ...(pick(3) === 0 ? { creationTimestamp: `2024-01-0${1 + pick(3)}T00:00:00Z` } : {}) },
    spec: {
      hosts: [`h${pick(3)}.example`],
      resolution: 'STATIC',
      ports: [{ number: 80 + pick(2), name: 'http', protocol: 'HTTP' }],
      ...(pick(2) === 0 ? { addresses: [`10.9.0.${pick(3)}`] } : {}),
      workloadSelector: { labels: { app } },
    },
  }),
  (pick) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `sl${pick(4)}`, labels: { 'kubernetes.io/service-name': `s${pick(4)}` } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 81 }],
    endpoints: [{ addresses: [`10.1.0.${pick(4)}`] }],
  }),
  (pick, app) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `p${pick(4)}`, labels: { app } },
    spec: { nodeName: `n${pick(2)}` },
    status: { podIP: `10.1.0.${pick(4)}`, conditions: [{ type: 'Ready', status: pick(2) === 0 ? 'True' : 'False' }] },
  }),
  (pick) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: `n${pick(2)}`, labels: { 'topology.kubernetes.io/region': `r${pick(2)}` } },
  }),
  (pick) => ({
    apiVersion: NETWORKING,
    kind: 'VirtualService',
    metadata: { name: `v${pick(4)}` },
    spec:
      pick(3) === 0
        ? { http: [{ route: [{ destination: { host: `s${pick(4)}` } }] }] }
        : {
            hosts: [`s${pick(4)}`],
            ...(pick(3) === 0 ? { exportTo: ['.'] } : {}),
            http: [pick(2) === 0 ? { delegate: { name: `v${pick(4)}` } } : { route: [{ destination: { host: `s${pick(4)}` } }] }],
          },
  }),
  (pick) => ({
    apiVersion: NETWORKING,
    kind: 'DestinationRule',
    metadata: { name: `d${pick(4)}` },
    spec: { host: `s${pick(4)}`, subsets: [{ name: `v${pick(2)}`, labels: { v: `${pick(3)}` } }] },
  }),
  (pick) => ({
    apiVersion: NETWORKING,
    kind: 'Sidecar',
    metadata: { name: `c${pick(2)}` },
    spec: { egress: [{ hosts: [pick(2) === 0 ? './*' : `ns${pick(2)}/*`] }] },
  }),
  (pick, app) => ({
    apiVersion: SECURITY,
    kind: 'PeerAuthentication',
    metadata: { name: `a${pick(3)}` },
    spec: {
      ...(pick(2) === 0 ? { selector: { matchLabels: { app } } } : {}),
      mtls: { mode: pick(2) === 0 ? 'STRICT' : 'DISABLE' },
    },
  }),
  (pick, app) => ({
    apiVersion: SECURITY,
    kind: 'AuthorizationPolicy',
    metadata: { name: `z${pick(3)}` },
    spec: pick(2) === 0 ? {} : { selector: { matchLabels: { app } } },
  }),
]

function randomResource(pick: Pick): AnyResource {
  const made = MAKERS[pick(MAKERS.length)]!(pick, `app${pick(3)}`) as { metadata: object }
  const decoded = decodeResource({ ...made, metadata: { namespace: `ns${pick(2)}`, ...made.metadata } })
  if (!decoded.ok || !decoded.value.known) throw new Error(JSON.stringify(decoded.diagnostics))
  return decoded.value.resource
}

function derivedOf({ collections }: Store): readonly Collection<unknown>[] {
  const { services, endpoints, hosts, virtualServices, virtualHosts, destinationRules, sidecarScopes, policies } = collections
  return [
    services,
    endpoints,
    hosts,
    virtualServices,
    ...Object.values(virtualHosts),
    destinationRules,
    sidecarScopes,
    ...Object.values(policies),
  ] as readonly Collection<unknown>[]
}

const contentOf = (store: Store): unknown =>
  derivedOf(store).map((collection) => [collection.name, new Map(collection.entries())])

/** By collection and key: the resources that an entry is made of, reckoned from the resources alone. Built may be only what has other ones than before. */
type Inputs = ReadonlyMap<string, ReadonlyMap<string, string>>

// The same text for equal resources, so that a rewrite that changes nothing touches nothing.
const marks = new WeakMap<AnyResource, string>()
function markOf(resource: AnyResource): string {
  const mark = marks.get(resource) ?? JSON.stringify(resource)
  marks.set(resource, mark)
  return mark
}

function inputsOf(present: Iterable<AnyResource>): Inputs {
  const all = [...present]
  const found = new Map<string, Map<string, string>>()
  const note = (collection: string, key: string, parts: readonly AnyResource[]): void => {
    const keys = found.get(collection) ?? new Map<string, string>()
    keys.set(key, `${keys.get(key) ?? ''} ${parts.map(markOf).join()}`)
    found.set(collection, keys)
  }
  const of = <K extends AnyResource['kind']>(kind: K, namespace: string): readonly Extract<AnyResource, { kind: K }>[] =>
    all.filter((one) => one.kind === kind && one.metadata.namespace === namespace) as never
  for (const one of all) {
    const { namespace, name } = one.metadata
    const key = `${namespace}/${name}`
    switch (one.kind) {
      case 'Service': {
        const slices = of('EndpointSlice', namespace).filter(
          ({ metadata }) => metadata.labels['kubernetes.io/service-name'] === name,
        )
        const addresses = slices.flatMap(({ spec }) => (spec.endpoints ?? []).flatMap((endpoint) => endpoint.addresses))
        const pods = all.filter((pod) => pod.kind === 'Pod' && addresses.includes(pod.status?.podIP ?? ''))
        const entries = of('WorkloadEntry', namespace).filter(({ spec }) => spec.labels?.['app'] === one.spec.selector?.['app'])
        note('catalog.services.kubernetes', key, [one])
        note('catalog.hosts', key, [one])
        note('catalog.endpoints', key, [one, ...slices, ...entries, ...pods, ...nodesOf(pods, all)])
        break
      }
      case 'ServiceEntry': {
        const app = one.spec.workloadSelector?.labels?.['app']
        const entries = of('WorkloadEntry', namespace).filter(({ spec }) => spec.labels?.['app'] === app)
        const pods = of('Pod', namespace).filter(({ metadata }) => metadata.labels['app'] === app)
        for (const host of one.spec.hosts) {
          note('catalog.services.service-entry', `${namespace}/${host}`, [one])
          note('catalog.hosts', host, [one])
          note('catalog.endpoints', `${namespace}/${host}`, [one, ...entries, ...pods, ...nodesOf(pods, all)])
        }
        break
      }
      case 'Pod':
        note('catalog.pods', key, [one, ...nodesOf([one], all)])
        break
      case 'WorkloadEntry':
        note('catalog.workload-entries', key, [one])
        break
      case 'VirtualService': {
        const delegates = of('VirtualService', namespace).filter(({ metadata }) =>
          (one.spec.http ?? []).some(({ delegate }) => delegate?.name === metadata.name),
        )
        note('catalog.virtual-services', key, [one, ...delegates])
        for (const host of one.spec.hosts) note('catalog.virtual-hosts.sidecar', `${namespace}/${host}`, [one, ...delegates])
        for (const host of one.spec.hosts) note('catalog.virtual-hosts.losers', `${namespace}/${host}`, [one, ...delegates])
        break
      }
      case 'DestinationRule':
        note('catalog.destination-rules', `${namespace}/${one.spec.host}`, [one])
        break
      case 'Sidecar':
        note('catalog.sidecar-scopes', key, [one])
        break
      case 'PeerAuthentication':
        note('catalog.peer-authentications', namespace, [one])
        break
      case 'AuthorizationPolicy':
        note('catalog.authorization-policies', namespace, [one])
        break
    }
  }
  return found
}

function nodesOf(pods: readonly AnyResource[], all: readonly AnyResource[]): readonly AnyResource[] {
  const names = pods.map((pod) => (pod.kind === 'Pod' ? pod.spec.nodeName : undefined))
  return all.filter(({ kind, metadata }) => kind === 'Node' && names.includes(metadata.name))
}

function touched(before: Inputs, after: Inputs, collection: string): number {
  const [old, now] = [before.get(collection), after.get(collection)]
  const keys = new Set([...(old?.keys() ?? []), ...(now?.keys() ?? [])])
  return [...keys].filter((key) => old?.get(key) !== now?.get(key)).length
}

const COUNTED = [
  'catalog.services.kubernetes',
  'catalog.services.service-entry',
  'catalog.hosts',
  'catalog.endpoints',
  'catalog.pods',
  'catalog.workload-entries',
  'catalog.virtual-services',
  'catalog.virtual-hosts.sidecar',
  'catalog.virtual-hosts.losers',
  'catalog.destination-rules',
  'catalog.sidecar-scopes',
  'catalog.peer-authentications',
  'catalog.authorization-policies',
]

function expectAtOnce(store: Store, present: ReadonlyMap<ResourceKey, AnyResource>): void {
  const whole = createStore()
  whole.apply({ set: [...present.values()] })
  if (!equal(contentOf(store), contentOf(whole))) expect(contentOf(store)).toEqual(contentOf(whole))
  // The snapshot shows the same entries, listed.
  if (!equal(viewOf(store.snapshot()), viewOf(whole.snapshot())))
    expect(viewOf(store.snapshot())).toEqual(viewOf(whole.snapshot()))
}

interface Step {
  readonly store: Store
  readonly present: Map<ResourceKey, AnyResource>
  readonly inputs: Inputs
}

/** One batch: builds counted against what it touches, entries compared with those before and with a mesh made at once. */
function step({ store, present, inputs }: Step, pick: Pick, totals: Record<string, { builds: number; touched: number }>): Step {
  const set = Array.from({ length: pick(4) }, () => randomResource(pick))
  const remove = [...present.keys()].filter(() => pick(12) === 0)
  for (const key of remove) present.delete(key)
  for (const resource of set) present.set(keyOf(resource), resource)
  const held = derivedOf(store).map((collection) => new Map(collection.entries()))
  const builds = new Map(store.collections.graph.builds)
  store.apply({ set, remove })

  const after = inputsOf(present.values())
  for (const name of COUNTED) {
    const built = (store.collections.graph.builds.get(name) ?? 0) - (builds.get(name) ?? 0)
    const allowed = touched(inputs, after, name)
    if (built > allowed) expect.fail(`${name} built ${built} keys, the batch touches ${allowed}`)
    const total = (totals[name] ??= { builds: 0, touched: 0 })
    total.builds += built
    total.touched += allowed
  }
  for (const [i, collection] of derivedOf(store).entries())
    for (const [key, value] of collection.entries()) {
      const old = held[i]!.get(key)
      if (old !== value && equal(old, value)) expect.fail(`${collection.name} replaced an equal ${key}`)
    }
  // A mesh made at once costs as much as twenty batches; what went wrong in a batch is still wrong some batches later.
  if (pick(5) === 0) expectAtOnce(store, present)
  return { store, present, inputs: after }
}

it('10,000 random batches: step by step is at once, what did not change is the same, and only what a batch touches is built', () => {
  const random = createSeededRandom(20_261_121)
  const pick: Pick = (n) => Math.floor(random.next() * n)
  const totals: Record<string, { builds: number; touched: number }> = {}
  let state: Step | undefined
  for (let batch = 0; batch < BATCHES; batch++) {
    if (state === undefined || batch % HISTORY === 0) {
      if (state !== undefined) expectAtOnce(state.store, state.present)
      state = { store: createStore(), present: new Map(), inputs: new Map() }
      derivedOf(state.store)
    }
    state = step(state, pick, totals)
  }
  const lines = Object.entries(totals).map(
    ([name, total]) =>
      `${name.padEnd(32)} ${String(total.builds).padStart(6)} builds, touched ${String(total.touched).padStart(6)}`,
  )
  console.log(`${BATCHES.toLocaleString('en')} batches\n${lines.join('\n')}`)
  for (const name of COUNTED) expect(totals[name]?.builds, name).toBeGreaterThan(0)
}, 300_000)

it('a snapshot stays as it was', () => {
  const random = createSeededRandom(7)
  const pick: Pick = (n) => Math.floor(random.next() * n)
  const store = createStore()
  const taken: [MeshSnapshot, string][] = []
  for (let batch = 0; batch < 100; batch++) {
    store.apply({ set: [randomResource(pick), randomResource(pick)] })
    taken.push([store.snapshot(), JSON.stringify(viewOf(store.snapshot()))])
  }
  for (const [snapshot, text] of taken) expect(JSON.stringify(viewOf(snapshot))).toBe(text)
})

function viewOf(snapshot: MeshSnapshot): unknown {
  return snapshot.services.map((service) => [service, service.ports.map(({ name }) => snapshot.endpoints(service, name))])
}
