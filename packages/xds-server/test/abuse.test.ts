import { connect as connectTcp, createServer, type Socket } from 'node:net'
import { status as GRPC } from '@grpc/grpc-js'
import { fail, ok, problem } from '@heddle/runtime'
import type { ResourceSet } from '@heddle/xds-types'
import { afterEach, describe, expect, test } from 'vitest'
import { type GrpcXdsServer, type ListenOptions, listenGrpc } from '../src/grpc/index.js'
import {
  createSnapshotCache,
  createXdsServer,
  requireNodeIdentity,
  type SnapshotCache,
  type XdsServer,
  type XdsServerOptions,
} from '../src/index.js'
import { connect, type TestClient } from './client.js'

// Every kind of client that a server should survive. In each case another client is served all the while.

const CDS = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'
const EDS = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment'
const clusters = (...names: string[]): ResourceSet => ({
  groups: [{ id: 'all', resources: new Map([[CDS, names.map((name) => ({ name }))]]) }],
})

interface Scene {
  readonly cache: SnapshotCache
  readonly server: XdsServer
  readonly listener: GrpcXdsServer
  client(options?: Parameters<typeof connect>[1]): TestClient
}

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const each of undo.splice(0).reverse()) await each()
})

async function start(options: Partial<XdsServerOptions> = {}, listen: Partial<ListenOptions> = {}): Promise<Scene> {
  const cache = createSnapshotCache()
  const server = createXdsServer({ resources: (node) => cache.watch(node.id), ...options })
  const listener = await listenGrpc(server, { address: '127.0.0.1:0', drainMs: 200, ...listen })
  undo.push(() => listener.close())
  return {
    cache,
    server,
    listener,
    client(connectOptions) {
      const client = connect(listener.port, connectOptions)
      undo.push(() => client.close())
      return client
    },
  }
}

/** A well-behaved client: answers everything, and knows what it has. */
function goodClient({ client, cache }: Scene, nodeId = 'good') {
  cache.set(nodeId, clusters('first'))
  const stream = client().delta()
  stream.raw.on('data', () => stream.send({ type_url: CDS, response_nonce: stream.received.at(-1)?.nonce }))
  stream.send({ node: { id: nodeId }, type_url: CDS })
  return {
    stream,
    /** A change reaches it. */
    async isServed(): Promise<void> {
      const name = `at ${stream.received.length}`
      cache.set(nodeId, clusters(name))
      for (;;) if ((await stream.next()).resources?.some((each) => each.name === name)) return
    },
  }
}

describe('who may not', () => {
  const tokens = (authorization: readonly string[]) =>
    authorization.includes('Bearer mine') ? ok({ id: 'spiffe://t/ns/shop/sa/mine' }) : fail(problem('x', '', 'no certificate'))

  test('a client without a credential is UNAUTHENTICATED, and nothing of what it says is read', async () => {
    const scene = await start({}, { authenticate: ({ authorization }) => tokens(authorization) })
    const stranger = scene.client().delta()
    stranger.send({ node: { id: 'x' }, type_url: CDS })
    expect((await stranger.ended).code).toBe(GRPC.UNAUTHENTICATED)
    expect([...scene.server.status()]).toEqual([])
  })

  test('CVE-2022-23635, CVE-2022-24726: odd and huge messages of nobody are not parsed, and everyone else is served', async () => {
    const admit = requireNodeIdentity(({ id }) => `spiffe://t/ns/shop/sa/${id}`)
    const scene = await start({ admit }, { authenticate: ({ authorization }) => tokens(authorization) })
    scene.cache.set('mine', clusters('a'))
    // A field that holds itself 100,000 times, what is no message at all, and more than a message may have.
    const nested = Buffer.alloc(200_000, Buffer.from([0x0b]))
    for (const bytes of [Buffer.alloc(0), Buffer.from([0xff]), nested, Buffer.alloc(4 * 1024 * 1024 + 1)]) {
      const stranger = scene.client()
      for (const stream of [stranger.delta(), stranger.sotw()]) {
        stream.raw.write(bytes)
        expect([GRPC.UNAUTHENTICATED, GRPC.RESOURCE_EXHAUSTED]).toContain((await stream.ended).code)
        expect(stream.received).toEqual([])
      }
    }
    expect([...scene.server.status()]).toEqual([])
    const own = scene.client({ token: 'mine' }).delta()
    own.send({ node: { id: 'mine' }, type_url: CDS })
    expect((await own.next()).resources).toHaveLength(1)
  })

  test('a foreign node id is PERMISSION_DENIED, and its own is served', async () => {
    const admit = requireNodeIdentity(({ id }) => `spiffe://t/ns/shop/sa/${id}`)
    const scene = await start({ admit }, { authenticate: ({ authorization }) => tokens(authorization) })
    scene.cache.set('mine', clusters('a'))
    const client = scene.client({ token: 'mine' })
    const foreign = client.delta()
    foreign.send({ node: { id: 'yours' }, type_url: CDS })
    expect((await foreign.ended).code).toBe(GRPC.PERMISSION_DENIED)
    const own = client.delta()
    own.send({ node: { id: 'mine' }, type_url: CDS })
    expect((await own.next()).resources).toHaveLength(1)
  })

  test('a node that changes midway stays who it was', async () => {
    const scene = await start()
    scene.cache.set('victim', clusters('secret'))
    const { stream, isServed } = goodClient(scene)
    await stream.next()
    stream.send({ node: { id: 'victim' }, type_url: CDS, resource_names_subscribe: ['*'] })
    await isServed()
    expect(JSON.stringify(stream.received)).not.toContain('secret')
  })
})

describe('too much', () => {
  test('a message of 4 MiB and one byte ends its stream with RESOURCE_EXHAUSTED', async () => {
    const scene = await start()
    const good = goodClient(scene)
    const stream = scene.client().delta()
    stream.raw.write(Buffer.alloc(4 * 1024 * 1024 + 1))
    expect((await stream.ended).code).toBe(GRPC.RESOURCE_EXHAUSTED)
    await good.isServed()
  })

  test('10,000 subscriptions in one request are served', async () => {
    const scene = await start()
    const names = Array.from({ length: 10_000 }, (_, i) => `${'name'.repeat(20)}-${i}`)
    scene.cache.set('n', clusters(...names))
    const stream = scene.client({ channelOptions: { 'grpc.max_receive_message_length': -1 } }).delta()
    stream.send({ node: { id: 'n' }, type_url: CDS, resource_names_subscribe: names })
    expect((await stream.next()).resources).toHaveLength(10_000)
  })

  test('1,000,000 names over one stream: it is cut at the limit, and what it held is given back', async () => {
    const scene = await start({ limits: { namesPerStream: 50_000 } })
    const good = goodClient(scene)
    const stream = scene.client().delta()
    stream.send({ node: { id: 'n' }, type_url: EDS })
    let sent = 0
    let open = true
    stream.raw.on('close', () => (open = false))
    stream.raw.on('status', () => (open = false))
    while (open && sent < 1_000_000) {
      const names = Array.from({ length: 10_000 }, () => `n${sent++}`)
      stream.send({ type_url: EDS, resource_names_subscribe: names })
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await stream.ended).toMatchObject({
      code: GRPC.RESOURCE_EXHAUSTED,
      details: expect.stringContaining('50000 are allowed'),
    })
    expect(sent).toBeLessThan(1_000_000)
    await good.isServed()
    expect([...scene.server.status()]).toHaveLength(1)
  })

  test('200 streams of one identity: those above its limit are refused, everyone else comes in', async () => {
    const authenticate: ListenOptions['authenticate'] = ({ authorization }) => ok({ id: authorization[0] ?? '' })
    const scene = await start({ limits: { streamsPerIdentity: 50 } }, { authenticate })
    const greedy = scene.client({ token: 'greedy' })
    const codes = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        scene.cache.set(`n${i}`, clusters('a'))
        const stream = greedy.delta()
        stream.send({ node: { id: `n${i}` }, type_url: CDS })
        return Promise.race([stream.next().then(() => GRPC.OK), stream.ended.then(({ code }) => code)])
      }),
    )
    expect(codes.filter((code) => code === GRPC.OK)).toHaveLength(50)
    expect(codes.filter((code) => code === GRPC.RESOURCE_EXHAUSTED)).toHaveLength(150)
    await goodClient(scene).isServed()
  })

  test('a reconnect storm of 1,000 is let in at the rate that was set, and who is open stays open', async () => {
    const scene = await start({ limits: { newStreamsBurst: 100, newStreamsPerSecond: 1 } })
    const good = goodClient(scene)
    await good.stream.next()
    const client = scene.client()
    const codes = await Promise.all(
      Array.from({ length: 1_000 }, async (_, i) => {
        const stream = client.delta()
        scene.cache.set(`n${i}`, clusters('a'))
        stream.send({ node: { id: `n${i}` }, type_url: CDS })
        return Promise.race([stream.next().then(() => GRPC.OK), stream.ended.then(({ code }) => code)])
      }),
    )
    const served = codes.filter((code) => code === GRPC.OK).length
    expect(served).toBeGreaterThanOrEqual(99)
    expect(served).toBeLessThan(200)
    expect(codes.every((code) => code === GRPC.OK || code === GRPC.RESOURCE_EXHAUSTED)).toBe(true)
    await good.isServed()
  })
})

describe('what makes no sense', () => {
  test.each(['', 'nonsense', 'type.googleapis.com/', 'type.googleapis.com/no.such.Type', '\u0000', 'x'.repeat(100_000)])(
    'type URL %#: the others go on',
    async (typeUrl) => {
      const scene = await start()
      const good = goodClient(scene)
      const stream = scene.client().delta()
      stream.send({ node: { id: 'n' }, type_url: typeUrl })
      scene.cache.set('n', clusters('a'))
      if (typeUrl === '') expect((await stream.ended).code).toBe(GRPC.INVALID_ARGUMENT)
      else {
        stream.send({ type_url: CDS })
        expect((await stream.next()).type_url).toBe(CDS)
      }
      await good.isServed()
    },
  )

  test('a NACK in a loop is answered with nothing, until there is something new', async () => {
    const scene = await start()
    scene.cache.set('n', clusters('bad'))
    const stream = scene.client().delta()
    const refuse = (nonce: string | undefined): void =>
      stream.send({ type_url: CDS, response_nonce: nonce, error_detail: { code: 3, message: 'no' } })
    stream.raw.on('data', () => {
      for (let i = 0; i < 100; i++) refuse(stream.received.at(-1)?.nonce)
    })
    stream.send({ node: { id: 'n' }, type_url: CDS })
    await stream.next()
    await goodClient(scene).isServed()
    expect(stream.received).toHaveLength(1)
    scene.cache.set('n', clusters('better'))
    expect((await stream.next()).resources?.map(({ name }) => name)).toEqual(['better'])
  })

  test('a nonce of another type is no answer', async () => {
    const scene = await start()
    scene.cache.set('n', {
      groups: [
        {
          id: 'all',
          resources: new Map<string, object[]>([
            [CDS, [{ name: 'a' }]],
            [EDS, [{ cluster_name: 'a' }]],
          ]),
        },
      ],
    })
    const stream = scene.client().delta()
    stream.send({ node: { id: 'n' }, type_url: CDS })
    const { nonce } = await stream.next()
    stream.send({ type_url: EDS, response_nonce: nonce, resource_names_subscribe: ['a'] })
    expect((await stream.next()).type_url).toBe(EDS)
    stream.send({ type_url: EDS, response_nonce: nonce })
    await goodClient(scene).isServed()
    const [status] = [...scene.server.status()].filter(({ nodeId }) => nodeId === 'n')
    expect([...(status?.types.values() ?? [])].map(({ state }) => state)).toEqual(['STALE', 'STALE'])
  })
})

describe('who stops', () => {
  test('a reader of a byte a second holds up nobody, gets no more than what fits, and is cut in the end', async () => {
    const scene = await start({ limits: { stuckAfterMs: 2_000 } })
    const port = await slowRelay(scene.listener.port)
    const slow = connect(port, { channelOptions: { 'grpc.max_receive_message_length': -1 } })
    undo.push(() => slow.close())
    const wide = (version: number): ResourceSet =>
      clusters(...Array.from({ length: 2_000 }, (_, i) => `${'x'.repeat(200)}-${version}-${i}`))
    scene.cache.set('slow', wide(0))
    const cut = new Promise<string>((resolve) =>
      scene.server.subscribe((event) => event.kind === 'refused' && event.nodeId === 'slow' && resolve(event.message)),
    )
    let bytes = 0
    scene.server.subscribe((event) => event.kind === 'sent' && event.nodeId === 'slow' && (bytes += event.bytes))
    slow.delta().send({ node: { id: 'slow' }, type_url: CDS })
    const good = goodClient(scene)
    for (let version = 1; version <= 20; version++) {
      scene.cache.set('slow', wide(version))
      await good.isServed()
    }
    expect(bytes).toBeLessThan(2 * 1024 * 1024)
    expect(await cut).toContain('has read or answered nothing')
    await good.isServed()
  })

  test('half-open TCP: the pings find out, and the node is let go', async () => {
    const scene = await start({}, { channelOptions: { 'grpc.keepalive_time_ms': 200, 'grpc.keepalive_timeout_ms': 1_500 } })
    const relay = await silentRelay(scene.listener.port)
    const half = connect(relay.port)
    undo.push(() => half.close())
    scene.cache.set('half', clusters('a'))
    const stream = half.delta()
    stream.send({ node: { id: 'half' }, type_url: CDS })
    await stream.next()
    const gone = new Promise<void>((resolve) =>
      scene.server.subscribe((event) => event.kind === 'disconnected' && event.nodeId === 'half' && resolve()),
    )
    relay.silence()
    await gone
    await goodClient(scene).isServed()
  })

  test('a connection ends at its age, and the client comes back', async () => {
    const scene = await start(
      {},
      { channelOptions: { 'grpc.max_connection_age_ms': 700, 'grpc.max_connection_age_grace_ms': 700 } },
    )
    scene.cache.set('n', clusters('a'))
    const client = scene.client()
    for (let i = 0; i < 2; i++) {
      const stream = client.delta()
      stream.send({ node: { id: 'n' }, type_url: CDS })
      expect((await stream.next()).resources).toHaveLength(1)
      expect((await stream.ended).code).not.toBe(GRPC.OK)
    }
  })
})

/** Passes the server's bytes on one a second, after the first 2,000 that HTTP/2 needs to begin. */
async function slowRelay(to: number): Promise<number> {
  const relay = createServer((client) => {
    const server = connectTcp(to, '127.0.0.1')
    track(client, server)
    client.pipe(server)
    let passed = 0
    server.on('data', (chunk) => {
      passed += chunk.length
      client.write(chunk)
      if (passed > 2_000) server.pause()
    })
    const drip = setInterval(() => client.write(server.read(1) ?? ''), 1_000)
    undo.push(() => clearInterval(drip))
  })
  return listen(relay)
}

/** Passes everything on, until it is told to be silent: then neither side hears of the other again. */
async function silentRelay(to: number): Promise<{ port: number; silence(): void }> {
  const pairs: [Socket, Socket][] = []
  const relay = createServer((client) => {
    const server = connectTcp(to, '127.0.0.1')
    track(client, server)
    pairs.push([client, server])
    client.pipe(server)
    server.pipe(client)
  })
  const silence = (): void => {
    for (const [client, server] of pairs) {
      client.unpipe(server)
      server.unpipe(client)
      client.pause()
      server.pause()
    }
  }
  return { port: await listen(relay), silence }
}

function track(...sockets: Socket[]): void {
  for (const socket of sockets) socket.on('error', () => {})
  undo.push(() => {
    for (const socket of sockets) socket.destroy()
  })
}

function listen(relay: ReturnType<typeof createServer>): Promise<number> {
  undo.push(() => new Promise((resolve) => relay.close(resolve)))
  return new Promise((resolve) => {
    relay.listen(0, '127.0.0.1', () => {
      const address = relay.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
}
