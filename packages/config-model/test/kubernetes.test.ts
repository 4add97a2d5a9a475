import { createStore, type ResourceStatus, type Store } from '@heddle/config-model'
import { createKubernetesRegistry, type KubernetesOptions, writeStatuses } from '@heddle/config-model/kubernetes'
import { type FollowedRegistry, followRegistry } from '@heddle/config-model/registries'
import { createGraph, createSource, systemClock } from '@heddle/runtime'
import { KubeConfig } from '@kubernetes/client-node'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createFakeApiServer, type FakeApiServer, type FakeResource } from '../src/kubernetes/testing.js'
import { type RegistryHarness, testRegistry } from '../src/registries/registry.test-suite.js'

const RESOURCES: readonly FakeResource[] = [
  { apiVersion: 'v1', kind: 'Service', plural: 'services', namespaced: true },
  { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true },
  { apiVersion: 'v1', kind: 'Node', plural: 'nodes', namespaced: false },
  { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', plural: 'endpointslices', namespaced: true },
  { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', plural: 'virtualservices', namespaced: true },
  { apiVersion: 'networking.istio.io/v1beta1', kind: 'VirtualService', plural: 'virtualservices', namespaced: true },
]

/** With the real client's configuration: what finds the server and signs in. */
function configFor(url: string): KubeConfig {
  const config = new KubeConfig()
  config.loadFromClusterAndUser({ name: 'c', server: url, skipTLSVerify: true }, { name: 'u', token: 'secret-token' })
  return config
}

const optionsFor = (api: FakeApiServer, more: Partial<KubernetesOptions> = {}): KubernetesOptions => ({
  config: configFor(api.url),
  clock: systemClock,
  // Short pauses after failures.
  random: { next: () => 0.02 },
  batchMs: 2,
  discoverMs: 50,
  ...more,
})

const service = (name: string) => ({
  metadata: { name, namespace: 'shop' },
  spec: { clusterIP: '10.96.0.1', ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
})
const slice = (name: string, addresses: readonly string[]) => ({
  metadata: { name: `${name}-1`, namespace: 'shop', labels: { 'kubernetes.io/service-name': name } },
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 8080 }],
  endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
})

testRegistry('Kubernetes', async (): Promise<RegistryHarness> => {
  const api = await createFakeApiServer(RESOURCES)
  return {
    registry: createKubernetesRegistry(optionsFor(api)),
    hostOf: (name) => `${name}.shop.svc.cluster.local`,
    set(name, addresses) {
      api.set('services', service(name))
      api.set('endpointslices', slice(name, addresses))
    },
    remove(name) {
      api.remove('endpointslices', 'shop', `${name}-1`)
      api.remove('services', 'shop', name)
    },
    break: () => api.setBroken(true),
    mend: () => api.setBroken(false),
    close: api.close,
  }
})

describe('createKubernetesRegistry', () => {
  let api: FakeApiServer
  let store: Store
  let followed: FollowedRegistry
  beforeEach(async () => {
    api = await createFakeApiServer(RESOURCES)
    store = createStore()
  })
  afterEach(async () => {
    followed.close()
    await api.close()
  })
  const follow = async (more: Partial<KubernetesOptions> = {}): Promise<void> => {
    followed = followRegistry(createKubernetesRegistry(optionsFor(api, more)), { store })
    await followed.ready
  }
  const soon = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 5 })
  const names = (): readonly string[] =>
    store
      .snapshot()
      .list('Service')
      .map(({ metadata }) => metadata.name)

  it('lists in pages, signs in, and takes each kind in the version that the server names first', async () => {
    for (let i = 0; i < 1203; i++) api.set('services', service(`s${String(i).padStart(4, '0')}`))
    await follow()
    expect(names()).toHaveLength(1203)
    expect(store.revision).toBe(1)
    const paths = api.requests.map(({ path }) => path)
    expect(paths.filter((path) => path.startsWith('/api/v1/services?limit='))).toHaveLength(3)
    expect(paths.some((path) => path.startsWith('/apis/networking.istio.io/v1beta1/virtualservices'))).toBe(false)
    expect(new Set(api.requests.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer secret-token']))
  })

  it('goes on where a stream ended, without listing again', async () => {
    api.set('services', service('a'))
    await follow()
    api.endStreams()
    api.set('services', service('b'))
    await soon(() => expect(names()).toEqual(['a', 'b']))
    expect(api.requests.filter(({ path }) => path.startsWith('/api/v1/services?limit='))).toHaveLength(1)
  })

  it('lists again what the server has forgotten, and finds what went meanwhile', async () => {
    api.set('services', service('a'))
    api.set('services', service('b'))
    await follow()
    api.setBroken(true)
    api.remove('services', 'shop', 'a')
    api.set('services', service('c'))
    api.compact()
    api.setBroken(false)
    await soon(() => expect(names()).toEqual(['b', 'c']))
  })

  it('finds kinds that are installed later', async () => {
    await follow()
    api.install({ apiVersion: 'networking.istio.io/v1', kind: 'ServiceEntry', plural: 'serviceentries', namespaced: true })
    api.set('serviceentries', {
      metadata: { name: 'x', namespace: 'shop' },
      spec: { hosts: ['x.example'], resolution: 'DNS', ports: [{ number: 80, name: 'http', protocol: 'HTTP' }] },
    })
    await soon(() => expect(store.snapshot().servicesOf('x.example')).toHaveLength(1))
  })

  it('keeps the last good version of an object that is refused, and says so until it is mended or gone', async () => {
    const vs = (spec: object) => ({ metadata: { name: 'vs', namespace: 'shop' }, spec })
    const route = [{ route: [{ destination: { host: 'a' } }] }]
    api.set('virtualservices', vs({ hosts: ['a'], http: route }))
    await follow()
    api.set('virtualservices', vs({ hots: ['a'], http: route }))
    await soon(() =>
      expect(followed.diagnostics.current).toMatchObject([{ code: 'config.unknown_field', subject: 'VirtualService shop/vs' }]),
    )
    expect(store.snapshot().get('VirtualService', 'shop', 'vs')?.spec.hosts).toEqual(['a'])
    api.remove('virtualservices', 'shop', 'vs')
    await soon(() => expect(store.snapshot().list('VirtualService')).toEqual([]))
    expect(followed.diagnostics.current).toEqual([])
  })

  it('puts the objects of another cluster beside those of the own', async () => {
    api.set('services', service('tea'))
    api.set('endpointslices', slice('tea', ['10.9.0.1']))
    await follow({ cluster: 'far' })
    const own = followRegistry(createKubernetesRegistry(optionsFor(api)), { store })
    await own.ready
    const [tea] = store.snapshot().servicesOf('tea.shop.svc.cluster.local')
    expect(
      store
        .snapshot()
        .endpoints(tea!, 'http')
        .map(({ cluster }) => cluster)
        .sort(),
    ).toEqual(['Kubernetes', 'far'])
    api.remove('endpointslices', 'shop', 'tea-1')
    await soon(() => expect(store.snapshot().endpoints(tea!, 'http')).toEqual([]))
    own.close()
  })

  it('makes one batch of what comes together', async () => {
    await follow({ batchMs: 100 })
    const before = store.revision
    for (let i = 0; i < 50; i++) api.set('services', service(`s${i}`))
    await soon(() => expect(names()).toHaveLength(50))
    expect(store.revision).toBe(before + 1)
  })
})

describe('writeStatuses', () => {
  const status = (text: string): ResourceStatus => ({
    key: 'VirtualService shop/vs',
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    source: 'VirtualService',
    namespace: 'shop',
    name: 'vs',
    status: { conditions: [{ type: 'Accepted', status: 'True', reason: 'Accepted', message: text }] },
  })

  it('writes what objects should have, once, with a time, and again after a failure', async () => {
    const api = await createFakeApiServer(RESOURCES)
    api.set('virtualservices', { metadata: { name: 'vs', namespace: 'shop' }, spec: {} })
    const statuses = createSource<ResourceStatus>({ graph: createGraph(), name: 'statuses' })
    const errors: string[] = []
    statuses.set('vs', status('one'))
    const stop = writeStatuses({
      config: configFor(api.url),
      clock: systemClock,
      random: { next: () => 0.02 },
      statuses,
      onError: (key, reason) => errors.push(`${key}: ${reason}`),
    })
    const written = (): unknown => api.object('virtualservices', 'shop', 'vs')?.['status']
    const soon = (text: string): Promise<void> =>
      vi.waitFor(
        () =>
          expect(written()).toMatchObject({
            conditions: [{ message: text, lastTransitionTime: expect.stringMatching(/^2.*Z$/) }],
          }),
        {
          timeout: 20_000,
        },
      )
    await soon('one')
    statuses.set('vs', status('one'))
    api.setBroken(true)
    statuses.set('vs', status('two'))
    await vi.waitFor(() => expect(errors[0]).toMatch(/vs: .*503: down for a moment/), { timeout: 20_000 })
    statuses.set('vs', status('three'))
    api.setBroken(false)
    await soon('three')
    statuses.set('gone', { ...status('x'), name: 'gone' })
    await vi.waitFor(() => expect(errors.at(-1)).toMatch(/^gone: .*404/), { timeout: 20_000 })
    const patches = api.requests.filter(({ method }) => method === 'PATCH').map(({ path }) => path)
    expect(patches.filter((path) => path.endsWith('/gone/status'))).toHaveLength(1)
    expect(new Set(patches)).toEqual(
      new Set(['vs', 'gone'].map((name) => `/apis/networking.istio.io/v1/namespaces/shop/virtualservices/${name}/status`)),
    )
    stop()
    await api.close()
  })
})
