import { createMetricsRegistry, fail, ok, problem, silentLogger } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import type { ResourceRef, ResourceType } from '@heddle/xds-types'
import { describe, expect, it } from 'vitest'
import type { CompiledCluster, CompiledListener } from '../config/compiled.js'
import { createDiscoveryStats } from '../observe/discovery-stats.js'
import type { RouteTable } from '../route/table.js'
import { createStaticSecrets } from '../secrets.js'
import type { ReceivedUpdate } from '../xds/protocol.js'
import { createConfigStore, type StoreTypes } from './config-store.js'
import type { ListenerManager } from './listener-manager.js'
import { createNamedValues } from './named-values.js'

/** Test messages say themselves what they refer to. */
interface Message {
  name: string
  value?: string
  refs?: ResourceRef[]
  secrets?: string[]
  /** What there must be, as `validate_clusters` asks. */
  cluster?: string
  bad?: true
}

const type = (shortName: string): ResourceType<never> => ({
  typeUrl: `test/${shortName}`,
  shortName,
  fullStateInSotw: false,
  nameOf: (message) => (message as Message).name,
  references: (message) => (message as Message).refs ?? [],
  encode: () => new Uint8Array(),
  decode: () => fail(problem('test', '', 'not here')),
})

const types = {
  cluster: type('Cluster'),
  endpoints: type('ClusterLoadAssignment'),
  listener: type('Listener'),
  route: type('RouteConfiguration'),
  scope: type('ScopedRouteConfiguration'),
  virtualHost: type('VirtualHost'),
  extension: type('TypedExtensionConfig'),
  secret: type('Secret'),
} as StoreTypes

const EDS = (name: string): ResourceRef => ({ typeUrl: types.endpoints.typeUrl, name })
const RDS = (name: string): ResourceRef => ({ typeUrl: types.route.typeUrl, name })
const SDS = (name: string): ResourceRef => ({ typeUrl: types.secret.typeUrl, name })

function setUp() {
  const clock = createFakeClock()
  const events: string[] = []
  const bindErrors = new Map<string, string>()
  const subscribed: string[] = []
  const late: string[] = []
  const listeners = {
    async set(listener: CompiledListener) {
      const error = bindErrors.get(listener.name)
      if (error !== undefined) throw new Error(error)
      events.push(`listener ${listener.name}=${(listener as unknown as Message).value}`)
    },
    remove: (name: string) => events.push(`-listener ${name}`),
    closeLeft() {},
  } as unknown as ListenerManager
  type Source = { watch(name: string): unknown }
  const compileAs = (kind: string) => (message: object, source?: Source, hasCluster?: (name: string) => boolean) => {
    const { name, value, secrets = [], cluster, bad } = message as Message
    if (cluster !== undefined && hasCluster?.(cluster) !== true) return fail<never>(problem(`${kind}.bad`, 'a', `no ${cluster}`))
    if (bad) return fail<never>(problem(`${kind}.bad`, 'a.b[0]', 'this cannot be'))
    for (const secret of secrets) source?.watch(secret)
    const discovery = { kind: 'EDS', serviceName: name }
    return ok({ name, value, discovery, filterChains: [], address: { address: '127.0.0.1', port: 80 } } as never)
  }
  const store = createConfigStore(
    {
      types,
      compile: {
        cluster: compileAs('cluster'),
        listener: compileAs('listener'),
        route: compileAs('route'),
        scope: compileAs('scope'),
        extension: compileAs('extension'),
        endpoints: (message) => compileAs('endpoints')(message),
        secret: compileAs('secret'),
      },
      clusters: {
        set: (cluster: CompiledCluster, endpoints) =>
          events.push(
            `cluster ${cluster.name}=${(cluster as unknown as Message).value} with ${(endpoints?.current as unknown as Message | undefined)?.value}`,
          ),
        remove: (name) => events.push(`-cluster ${name}`),
      },
      subscribe: (typeUrl, add, drop) =>
        subscribed.push(
          ...add.map((name) => `+${typeUrl.slice(5)} ${name}`),
          ...drop.map((name) => `-${typeUrl.slice(5)} ${name}`),
        ),
      begin: (typeUrl) => subscribed.push(`begin ${typeUrl.slice(5)}`),
      extensions: createNamedValues(),
      stats: createDiscoveryStats(createMetricsRegistry()),
      secrets: [createStaticSecrets([{ name: 'default', certificateChain: 'PEM' }])],
      clock,
      logger: silentLogger,
      initialFetchTimeoutMs: 15_000,
      notInTime: (typeUrl) => late.push(typeUrl.slice(5)),
    },
    listeners,
  )
  let nonce = 0
  const push = (kind: keyof StoreTypes, messages: Message[], removed: string[] = []) => {
    const update: ReceivedUpdate = {
      typeUrl: types[kind].typeUrl,
      version: '',
      nonce: String(++nonce),
      resources: messages.map((message) => ({
        name: message.name,
        version: `${message.name}-${message.value}`,
        message: ok(message),
      })),
      removed,
      controlPlane: '',
    }
    return store.apply(update)
  }
  return { store, clock, events, subscribed, late, bindErrors, push }
}

it('knows of each cluster that is in force or on its way (validate_clusters)', async () => {
  const { push } = setUp()
  await push('cluster', [
    { name: 'warming', refs: [EDS('a')] },
    { name: 'refused', bad: true },
    { name: 'there' },
    { name: 'gone' },
  ])
  await push('cluster', [], ['gone'])
  for (const [name, kind] of [
    ['l', 'listener'],
    ['r', 'route'],
    ['s', 'scope'],
  ] as const) {
    for (const cluster of ['warming', 'there']) expect(await push(kind, [{ name, cluster }])).toEqual([])
    for (const cluster of ['refused', 'gone', 'unknown'])
      expect(await push(kind, [{ name, cluster }])).toMatchObject([{ name, message: expect.stringContaining(`no ${cluster}`) }])
  }
})

describe('clusters', () => {
  it('come into force when their endpoints are there; a new one replaces the old one only then', async () => {
    const { push, events, subscribed } = setUp()
    await push('cluster', [{ name: 'a', value: '1', refs: [EDS('a')] }])
    expect(events).toEqual([])
    expect(subscribed).toEqual(['+ClusterLoadAssignment a'])
    await push('endpoints', [{ name: 'a', value: 'e1' }])
    expect(events).toEqual(['cluster a=1 with e1'])
    await push('cluster', [{ name: 'a', value: '2', refs: [EDS('other')] }])
    expect(events).toHaveLength(1)
    await push('endpoints', [{ name: 'other', value: 'e2' }])
    expect(events[1]).toBe('cluster a=2 with e1')
    expect(subscribed).toEqual(['+ClusterLoadAssignment a', '+ClusterLoadAssignment other', '-ClusterLoadAssignment a'])
  })

  it('serve without endpoints when the server has none, or has sent none in time (line 93)', async () => {
    const { push, events, clock, late } = setUp()
    await push('cluster', [
      { name: 'none', value: '1', refs: [EDS('none')] },
      { name: 'late', value: '1', refs: [EDS('late')] },
    ])
    await push('endpoints', [], ['none'])
    expect(events).toEqual(['cluster none=1 with undefined'])
    clock.advance(15_000)
    expect(events).toEqual(['cluster none=1 with undefined', 'cluster late=1 with undefined'])
    expect(late).toEqual(['ClusterLoadAssignment'])
  })

  it('wait for each thing as long as its own initial_fetch_timeout says', async () => {
    const { push, events, clock, late } = setUp()
    await push('cluster', [
      { name: 'brief', value: '1', refs: [{ ...EDS('brief'), fetchTimeout: '2s' }] },
      {
        name: 'both',
        value: '1',
        refs: [
          { ...EDS('both'), fetchTimeout: '2s' },
          { ...SDS('key'), fetchTimeout: '3s' },
        ],
        secrets: ['key'],
      },
      { name: 'patient', value: '1', refs: [{ ...EDS('patient'), fetchTimeout: '0s' }] },
    ])
    clock.advance(2000)
    expect(events).toEqual(['cluster brief=1 with undefined'])
    clock.advance(1000)
    expect(events.slice(1)).toEqual(['cluster both=1 with undefined'])
    expect(late).toEqual(['ClusterLoadAssignment', 'ClusterLoadAssignment', 'Secret'])
    clock.advance(3_600_000)
    expect(events).toHaveLength(2)
    await push('endpoints', [{ name: 'patient', value: 'e' }])
    expect(events[2]).toBe('cluster patient=1 with e')
  })

  it('that did not change are not touched', async () => {
    const { push, events } = setUp()
    await push('cluster', [{ name: 'a', value: '1' }])
    await push('cluster', [{ name: 'a', value: '1' }])
    expect(events).toHaveLength(1)
  })

  it('that are refused are named with path and reason; the good ones of the response serve, and the last good one, too (lines 92, 94)', async () => {
    const { push, events, store } = setUp()
    await push('cluster', [{ name: 'a', value: '1' }])
    const rejections = await push('cluster', [
      { name: 'a', value: '2', bad: true },
      { name: 'b', value: '1' },
    ])
    expect(rejections).toEqual([{ name: 'a', message: 'a.b[0]: this cannot be [cluster.bad]' }])
    expect(events).toEqual(['cluster a=1 with undefined', 'cluster b=1 with undefined'])
    const record = store
      .records()
      .get(types.cluster.typeUrl)
      ?.find(({ name }) => name === 'a')
    expect(record).toMatchObject({
      state: 'active',
      version: 'a-1',
      error: { version: 'a-2', message: expect.stringContaining('a.b[0]') },
    })
    await push('cluster', [{ name: 'a', value: '3' }])
    expect(store.records().get(types.cluster.typeUrl)?.[0]?.error).toBeUndefined()
  })

  it('stop warming when they are removed', async () => {
    const { push, events, store } = setUp()
    await push('cluster', [{ name: 'a', value: '1', refs: [EDS('a')] }])
    await push('cluster', [], ['a'])
    await push('endpoints', [{ name: 'a', value: 'e1' }])
    expect(events).toEqual([])
    expect(store.warming.current.clusters).toBe(0)
  })

  it('of the bootstrap stay', async () => {
    const { push, events, store } = setUp()
    await store.addStatic([{ name: 'xds', value: '1' } as object], [])
    expect(await push('cluster', [{ name: 'xds', value: '2' }], ['xds'])).toEqual([
      { name: 'xds', message: 'a static resource has this name' },
    ])
    expect(events).toEqual(['cluster xds=1 with undefined'])
  })
})

describe('listeners', () => {
  it('wait for their route table, and routes alone touch no listener (line 98)', async () => {
    const { push, events, store } = setUp()
    await push('listener', [{ name: 'l', value: '1', refs: [RDS('r')] }])
    expect(events).toEqual([])
    await push('route', [{ name: 'r', value: 'r1' }])
    await Promise.resolve()
    expect(events).toEqual(['listener l=1'])
    const table = store.routes('r')
    await push('route', [{ name: 'r', value: 'r2' }])
    expect((table.current as RouteTable & { value: string }).value).toBe('r2')
    expect(events).toHaveLength(1)
  })

  it('wait for secrets over SDS, but ask nobody for those that are here', async () => {
    const { push, events, subscribed } = setUp()
    await push('listener', [{ name: 'l', value: '1', refs: [SDS('default'), SDS('gateway')], secrets: ['default', 'gateway'] }])
    expect(subscribed).toEqual(['+Secret gateway'])
    expect(events).toEqual([])
    await push('secret', [{ name: 'gateway', value: 's1' }])
    await Promise.resolve()
    expect(events).toEqual(['listener l=1'])
  })

  it('that cannot bind are refused; the others serve, and so does the old one', async () => {
    const { push, events, bindErrors, store } = setUp()
    await push('listener', [{ name: 'a', value: '1' }])
    bindErrors.set('a', 'EADDRINUSE')
    const rejections = await push('listener', [
      { name: 'a', value: '2' },
      { name: 'b', value: '1' },
    ])
    expect(rejections).toEqual([{ name: 'a', message: 'cannot listen on 127.0.0.1:80: EADDRINUSE' }])
    expect(events).toEqual(['listener a=1', 'listener b=1'])
    expect(store.records().get(types.listener.typeUrl)?.[0]).toMatchObject({
      state: 'active',
      version: 'a-1',
      error: { version: 'a-2' },
    })
  })

  it('that are removed go, and what only they referred to is dropped', async () => {
    const { push, events, subscribed } = setUp()
    await push('listener', [
      { name: 'a', value: '1', refs: [RDS('mine'), RDS('shared')] },
      { name: 'b', value: '1', refs: [RDS('shared')] },
    ])
    await push('route', [
      { name: 'mine', value: '1' },
      { name: 'shared', value: '1' },
    ])
    await push('listener', [], ['a'])
    expect(events.at(-1)).toBe('-listener a')
    expect(subscribed.filter((one) => one.startsWith('-'))).toEqual(['-RouteConfiguration mine'])
  })
})

describe('endpoints', () => {
  it('are compiled against the set in force, and outlive a removal by the server (line 94)', async () => {
    const { push, store } = setUp()
    await push('cluster', [{ name: 'a', value: '1', refs: [EDS('a')] }])
    await push('endpoints', [{ name: 'a', value: 'e1' }])
    await push('endpoints', [], ['a'])
    expect(store.records().get(types.endpoints.typeUrl)).toMatchObject([{ name: 'a', version: 'a-e1' }])
    expect(await push('endpoints', [{ name: 'a', value: 'e2', bad: true }])).toHaveLength(1)
    expect(store.records().get(types.endpoints.typeUrl)).toMatchObject([{ version: 'a-e1', error: { version: 'a-e2' } }])
  })

  it('twice in one response are refused once', async () => {
    const { push } = setUp()
    const rejections = await push('endpoints', [{ name: 'a', value: 'e1' } as Message, { name: 'a', value: 'e2' } as Message])
    expect(rejections).toEqual([{ name: 'a', message: 'two resources of one response have this name' }])
  })
})
