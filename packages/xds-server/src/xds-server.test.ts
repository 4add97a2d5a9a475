import { createMetricsRegistry, createWatch, type WatchSource } from '@heddle/runtime'
import { createFakeClock, createMemoryLogger, type FakeClock } from '@heddle/runtime/testing'
import type { ResourceSet } from '@heddle/xds-types'
import { decodeDeltaResponse } from '@heddle/xds-types/discovery'
import { DeltaDiscoveryRequest, DiscoveryRequest } from '@heddle/xds-types/envoy/service/discovery/v3'
import { beforeEach, describe, expect, test } from 'vitest'
import type { XdsEvent } from './events.js'
import { createSnapshotCache, type SnapshotCache } from './snapshot-cache.js'
import { type CloseStatus, STATUS, type StreamHandler } from './transport.js'
import { createXdsServer, type XdsServer, type XdsServerOptions } from './xds-server.js'

const CDS = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'
const EDS = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment'
const clusters = (...names: string[]): ResourceSet => ({
  groups: [{ id: 'all', resources: new Map([[CDS, names.map((name) => ({ name }))]]) }],
})

interface FakeStream extends StreamHandler {
  readonly names: string[][]
  readonly nonces: string[]
  readonly closed: CloseStatus[]
  /** What the next writes return. */
  fast: boolean
  request(message: Parameters<typeof DeltaDiscoveryRequest.encode>[0]): void
  ack(): void
}

let clock: FakeClock
let cache: SnapshotCache
let server: XdsServer
let events: XdsEvent[]

function start(options: Partial<XdsServerOptions> = {}): void {
  clock = createFakeClock()
  cache = createSnapshotCache()
  events = []
  server = createXdsServer({ resources: (node) => cache.watch(node.id), clock, ...options })
  server.subscribe((event) => events.push(event))
}

function open(typeUrl?: string): FakeStream {
  const names: string[][] = []
  const nonces: string[] = []
  const closed: CloseStatus[] = []
  const transport = {
    peer: 'test',
    write(parts: readonly Uint8Array[]) {
      const bytes = Buffer.concat(parts)
      const decoded = decodeDeltaResponse(bytes)
      if (!decoded.ok) throw new Error('not a delta response')
      names.push([...decoded.value.resources.map((r) => r.name), ...decoded.value.removed.map((name) => `-${name}`)])
      nonces.push(decoded.value.nonce)
      return stream.fast
    },
    close: (status: CloseStatus) => void closed.push(status),
  }
  const handler = server.accept({ variant: 'delta', transport, ...(typeUrl === undefined ? {} : { typeUrl }) })
  const stream: FakeStream = {
    names,
    nonces,
    closed,
    fast: true,
    onMessage: handler.onMessage,
    onDrain: handler.onDrain,
    onEnd: handler.onEnd,
    request: (message) => handler.onMessage(DeltaDiscoveryRequest.encode(message)),
    ack: () => stream.request({ type_url: CDS, response_nonce: nonces.at(-1) }),
  }
  return stream
}

function connect(nodeId: string): FakeStream {
  const stream = open()
  stream.request({ node: { id: nodeId }, type_url: CDS })
  return stream
}

beforeEach(() => start())

describe('requests', () => {
  test.each([{}, { node: {} }, { node: { cluster: 'no id' } }])(
    'a first request without a node id is refused (line 2): %j',
    (node) => {
      const stream = open()
      stream.request({ ...node, type_url: CDS })
      expect(stream.closed).toMatchObject([{ code: STATUS.invalidArgument, message: expect.stringContaining('node') }])
      expect([...server.status()]).toEqual([])
    },
  )
  test('later requests may omit the node; another one is told and changes nothing (lines 1, 3)', () => {
    cache.set('n1', clusters('mine'))
    cache.set('n2', clusters('theirs'))
    const stream = connect('n1')
    stream.ack()
    stream.request({ node: { id: 'n2' }, type_url: CDS, resource_names_subscribe: ['*'] })
    expect(stream.names).toEqual([['mine'], ['mine']])
    expect(events).toContainEqual(expect.objectContaining({ kind: 'node-changed', nodeId: 'n1', claimed: 'n2' }))
  })
  test('no type URL is refused on ADS, implied on a per-type stream, and another one is refused there (line 5)', () => {
    cache.set('n1', clusters('a'))
    const ads = open()
    ads.request({ node: { id: 'n1' } })
    expect(ads.closed).toMatchObject([{ code: STATUS.invalidArgument }])
    const perType = open(CDS)
    perType.request({ node: { id: 'n1' } })
    expect(perType.names).toEqual([['a']])
    perType.request({ type_url: EDS })
    expect(perType.closed).toMatchObject([{ code: STATUS.invalidArgument }])
  })
  test('an xdstp name is asked for in any spelling (line 48)', () => {
    const name = 'xdstp://a/envoy.config.cluster.v3.Cluster/x?b=1&c=2'
    cache.set('n1', clusters(name))
    const stream = open(CDS)
    stream.request({ node: { id: 'n1' }, resource_names_subscribe: ['xdstp://a/envoy.config.cluster.v3.Cluster/%78?c=2&b=1'] })
    stream.ack()
    stream.request({ resource_names_subscribe: ['xdstp://a/envoy.config.listener.v3.Listener/x'] })
    expect(stream.names).toEqual([[name], ['-xdstp://a/envoy.config.listener.v3.Listener/x']])
  })
  test('an unknown type is counted, and the others go on (line 6)', () => {
    const metrics = createMetricsRegistry()
    start({ metrics })
    cache.set('n1', clusters('a'))
    const stream = open()
    stream.request({ node: { id: 'n1' }, type_url: 'type.googleapis.com/no.such.Type' })
    stream.request({ type_url: CDS })
    expect(stream.closed).toEqual([])
    expect(stream.names).toEqual([['a']])
    const family = [...metrics.families()].find(({ name }) => name === 'xds_unknown_type_requests_total')
    expect(family?.labels()).toMatchObject({ value: 1 })
  })
  test('what is no request is refused', () => {
    const stream = open()
    stream.onMessage(new Uint8Array([0xff, 0xff]))
    expect(stream.closed).toMatchObject([
      { code: STATUS.invalidArgument, message: expect.stringContaining('not a discovery request') },
    ])
  })
  test('nothing is sent after the end, and the node is let go (line 8)', () => {
    cache.set('n1', clusters('a'))
    const stream = connect('n1')
    stream.onEnd()
    cache.set('n1', clusters('b'))
    clock.advance(100_000)
    expect(stream.names).toEqual([['a']])
    expect([[...server.status()], clock.pending]).toEqual([[], 0])
  })
})

describe('pushes', () => {
  test('changes within one turn are one push, of the last (line 56)', () => {
    const stream = connect('n1')
    for (const name of ['a', 'b', 'c']) cache.set('n1', clusters(name))
    clock.advance(0)
    expect(stream.names).toEqual([['c']])
  })
  test('a slow reader gets the newest when it has caught up, and nobody waits for it (line 77)', () => {
    cache.set('slow', clusters('a'))
    cache.set('other', clusters('a'))
    const slow = connect('slow')
    const other = connect('other')
    other.ack()
    slow.fast = false
    slow.ack()
    cache.set('slow', clusters('b'))
    clock.advance(0)
    slow.ack()
    for (const name of ['c', 'd', 'e']) {
      cache.set('slow', clusters(name))
      cache.set('other', clusters(name))
      clock.advance(0)
      other.ack()
    }
    expect(other.names).toEqual([['a'], ['c', '-a'], ['d', '-c'], ['e', '-d']])
    expect(slow.names).toEqual([['a'], ['b', '-a']])
    slow.fast = true
    slow.onDrain()
    clock.advance(0)
    expect(slow.names.at(-1)).toEqual(['e', '-b'])
  })
  test('a client that does not answer gets newer content after the deadline, and it is told (line 57)', () => {
    start({ ackTimeoutMs: 5_000 })
    cache.set('n1', clusters('a'))
    const stream = connect('n1')
    cache.set('n1', clusters('b'))
    clock.advance(4_999)
    expect(stream.names).toEqual([['a']])
    clock.advance(1)
    expect(stream.names).toEqual([['a'], ['b', '-a']])
    expect(events.map(({ kind }) => kind)).toContain('unanswered')
  })
  test('a set with a resource that cannot be encoded: the last good one stays, and it is told (line 63)', () => {
    cache.set('n1', clusters('a'))
    const stream = connect('n1')
    stream.ack()
    cache.set('n1', { groups: [{ id: 'g', resources: new Map([[CDS, [{ name: 'ok' }, { name: 7 }]]]) }] })
    clock.advance(0)
    expect(stream.names).toEqual([['a']])
    expect(events).toContainEqual(expect.objectContaining({ kind: 'broken-resources', typeUrl: CDS }))
    cache.set('n1', clusters('b'))
    clock.advance(0)
    expect(stream.names).toEqual([['a'], ['b', '-a']])
  })
  test('a node that is forgotten keeps what it has (line 10)', () => {
    cache.set('n1', clusters('a'))
    const stream = connect('n1')
    stream.ack()
    cache.clear('n1')
    clock.advance(0)
    expect(stream.names).toEqual([['a']])
  })
})

describe('status and the barrier', () => {
  test('a client that brings along what is current is SYNCED, though nothing was sent (line 43)', () => {
    const endpoints = [{ cluster_name: 'a' }]
    cache.set('n1', { groups: [{ id: 'all', resources: new Map([[EDS, endpoints]]) }] })
    const first = open()
    first.request({ node: { id: 'n1' }, type_url: EDS, resource_names_subscribe: ['a'] })
    const [status] = [...server.status()]
    const [{ version = '' } = {}] = server.sent(status?.streamId ?? '').get(EDS) ?? []
    const again = open()
    again.request({
      node: { id: 'n1' },
      type_url: EDS,
      resource_names_subscribe: ['a'],
      initial_resource_versions: { a: version },
    })
    expect(again.names).toEqual([])
    expect([...server.status()].map(({ types }) => types.get(EDS)?.state)).toEqual(['STALE', 'SYNCED'])
  })
  test('NOT SENT, STALE, SYNCED, NACKED, with versions, nonces and times (line 27)', () => {
    const stream = connect('n1')
    const status = () => [...server.status()][0]!.types.get(CDS)!
    expect(status()).toMatchObject({ state: 'NOT SENT', wildcard: true })
    cache.set('n1', clusters('a'))
    clock.advance(0)
    expect(status()).toMatchObject({ state: 'STALE', sent: { nonce: stream.nonces[0] }, inUse: '' })
    clock.advance(250)
    stream.ack()
    expect(status()).toMatchObject({ state: 'SYNCED', inUse: status().sent!.version })
    expect(status().acked!.at - status().sent!.at).toBe(250)
    const good = status().inUse
    cache.set('n1', clusters('b'))
    clock.advance(0)
    stream.request({ type_url: CDS, response_nonce: stream.nonces.at(-1), error_detail: { code: 13, message: 'b: bad' } })
    expect(status()).toMatchObject({ state: 'NACKED', inUse: good, nacked: { error: { code: 13, message: 'b: bad' } } })
    cache.set('n1', clusters('c'))
    clock.advance(0)
    stream.ack()
    expect(status()).toMatchObject({ state: 'SYNCED', nacked: { error: { message: 'b: bad' } } })
  })
  test('no client at all: resolved at once', async () => {
    expect(await server.applied()).toEqual({ applied: [], refused: [], left: [], waiting: [] })
  })
  test('resolves with the last ACK; a refusal, a disconnect and a superseded set count as what they are', async () => {
    const [fine, refuses, leaves] = ['fine', 'refuses', 'leaves'].map((id) => {
      cache.set(id, clusters('a'))
      const stream = connect(id)
      stream.ack()
      return stream
    })
    for (const id of ['fine', 'refuses', 'leaves']) cache.set(id, clusters('b'))
    const applied = server.applied()
    clock.advance(0)
    refuses!.request({ type_url: CDS, response_nonce: refuses!.nonces.at(-1), error_detail: { code: 13, message: 'no' } })
    leaves!.onEnd()
    cache.set('fine', clusters('c'))
    clock.advance(0)
    fine!.ack()
    fine!.ack()
    expect(await applied).toEqual({
      applied: ['fine'],
      refused: [{ nodeId: 'refuses', typeUrl: CDS, message: 'no', resources: ['b'] }],
      left: ['leaves'],
      waiting: [],
    })
  })
  test('the signal ends the wait and names the laggards', async () => {
    cache.set('n1', clusters('a'))
    const stream = connect('n1')
    const abort = new AbortController()
    const applied = server.applied({ signal: abort.signal })
    abort.abort()
    expect(await applied).toEqual({ applied: [], refused: [], left: [], waiting: [{ nodeId: 'n1', typeUrls: [CDS] }] })
    stream.ack()
    expect((await server.applied({ nodeIds: ['n1'] })).applied).toEqual(['n1'])
  })
})

describe('what the user gave throws', () => {
  const throws = (): never => {
    throw new Error('a bug of the user')
  }
  test.each([{ resources: throws }, { admit: throws }])('%o ends the stream with INTERNAL and is logged', (options) => {
    const logger = createMemoryLogger()
    start({ ...options, logger })
    const stream = connect('n1')
    expect(stream.closed).toMatchObject([{ code: STATUS.internal }])
    expect(JSON.stringify(stream.closed)).not.toContain('a bug of the user')
    expect(logger.entries).toMatchObject([{ level: 'error', fields: { error: { message: 'a bug of the user' } } }])
  })
  test('in the middle of a push: the other streams get theirs', () => {
    start({ authorize: ({ node }) => (node.id === 'n1' && cache.get('n1') !== undefined ? throws() : true) })
    const [one, two] = ['n1', 'n2'].map(connect)
    for (const id of ['n1', 'n2']) cache.set(id, clusters('a'))
    clock.advance(0)
    expect(one!.closed).toMatchObject([{ code: STATUS.internal }])
    expect(two!.names).toEqual([['a']])
  })
  test('a listener that throws disturbs nobody', () => {
    server.subscribe(throws)
    cache.set('n1', clusters('a'))
    expect(connect('n1').names).toEqual([['a']])
  })
})

describe('the end', () => {
  test('close ends all streams with UNAVAILABLE and refuses new ones (line 9)', () => {
    const stream = connect('n1')
    server.close()
    expect(stream.closed).toMatchObject([{ code: STATUS.unavailable }])
    expect(open().closed).toMatchObject([{ code: STATUS.unavailable }])
  })
  test('a refusal is logged with who it was', () => {
    const logger = createMemoryLogger()
    start({ logger })
    open().request({ type_url: CDS })
    expect(logger.entries).toHaveLength(1)
  })
  test('memory: a source is subscribed to only while a stream needs it (line 76)', () => {
    let subscribed = 0
    const source: WatchSource<ResourceSet | undefined> = createWatch<ResourceSet | undefined>(clusters('a'))
    const counted = {
      get current() {
        return source.current
      },
      subscribe(changed: (value: ResourceSet | undefined) => void) {
        subscribed++
        const stop = source.subscribe(changed)
        return () => {
          subscribed--
          stop()
        }
      },
    }
    start({ resources: () => counted })
    const streams = ['1', '2'].map(connect)
    expect(subscribed).toBe(2)
    for (const stream of streams) stream.onEnd()
    expect(subscribed).toBe(0)
  })
})

test('SotW goes the same way', () => {
  cache.set('n1', clusters('a'))
  const written: Uint8Array[] = []
  const transport = {
    peer: 'test',
    write: (parts: readonly Uint8Array[]) => written.push(Buffer.concat(parts)) > 0,
    close: () => {},
  }
  const handler = server.accept({ variant: 'sotw', transport })
  handler.onMessage(DiscoveryRequest.encode({ node: { id: 'n1' }, type_url: CDS }))
  expect(written).toHaveLength(1)
})
