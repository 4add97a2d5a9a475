import { createMetricsRegistry, createWatch, silentLogger } from '@heddle/runtime'
import { createFakeClock, createSeededRandom } from '@heddle/runtime/testing'
import type { Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import { describe, expect, it } from 'vitest'
import { compileCluster } from './config/cluster.js'
import { compileListener } from './config/listener.js'
import { createLivePath } from './live.js'
import type { Connection } from './net/connection.js'
import { createMemoryNetwork } from './net/memory.js'
import type { Tls } from './net/tls.js'
import { createListenerManager } from './state/listener-manager.js'
import { testDeps } from './testing.js'

/** What becomes of open connections when their listener is replaced, from the message to the answer. */

const TYPES = 'type.googleapis.com/envoy.extensions'
const PORT = 8080
const APP = 9000
const DRAIN_MS = 10_000

const any = (type: string, fields: object = {}): object => ({
  name: type,
  typed_config: { '@type': `${TYPES}.${type}`, ...fields },
})
const everything = [{ any: true }]
const deny = { rules: { action: 'DENY', policies: { nobody: { permissions: everything, principals: everything } } } }
const denyRequests = any('filters.http.rbac.v3.RBAC', deny)
const denyConnections = any('filters.network.rbac.v3.RBAC', { stat_prefix: 'tcp', ...deny })
const router = any('filters.http.router.v3.Router')
const manager = (filters: readonly object[] = [], extra: object = {}): object =>
  any('filters.network.http_connection_manager.v3.HttpConnectionManager', {
    stat_prefix: 'web',
    route_config: {
      virtual_hosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'app' } }] }],
    },
    http_filters: [...filters, router],
    ...extra,
  })
const proxy = any('filters.network.tcp_proxy.v3.TcpProxy', { stat_prefix: 'tcp', cluster: 'app' })
const tls = (alpn: string): object => ({
  transport_socket: any('transport_sockets.tls.v3.DownstreamTlsContext', {
    common_tls_context: { alpn_protocols: [alpn], tls_certificate_sds_secret_configs: [{ name: 'default' }] },
  }),
})
const listener = (filters: readonly object[], chain: object = {}, extra: object = {}): object => ({
  name: 'in',
  address: { socket_address: { address: '127.0.0.1', port_value: PORT } },
  filter_chains: [{ filters, ...chain }],
  ...extra,
})

/** Every peer gets through, as `client`. */
const openTls: Tls = {
  accept: async (connection) =>
    Object.defineProperty(connection, 'tls', {
      value: { version: 'TLSv1.3', peerVerified: true, peerUris: ['spiffe://td/client'], localUris: [] },
    }),
  connect: () => Promise.reject(new Error('no TLS to upstreams here')),
}

async function setUp(first: object, withTls: Tls = openTls) {
  const network = createMemoryNetwork()
  const clock = createFakeClock()
  const stats = createMetricsRegistry()
  const live = createLivePath({
    ...{ network, clock, stats, tls: withTls, logger: silentLogger, random: createSeededRandom(1) },
    lookup: () => Promise.reject(new Error('no names here')),
    node: { id: 'n', cluster: 'c', metadata: {} },
    routes: () => createWatch(undefined),
  })
  const app = await startApp(network)
  const address = { socket_address: { address: '127.0.0.1', port_value: APP } }
  const cluster = compileCluster(
    { name: 'app', load_assignment: { cluster_name: 'app', endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] } },
    testDeps(),
    'app',
  )
  if (!cluster.ok) throw new Error(JSON.stringify(cluster.diagnostics))
  live.clusters.set(cluster.value, undefined)
  const listeners = createListenerManager({ network, clock, logger: silentLogger, drainTimeMs: DRAIN_MS, start: live.start })
  const put = async (message: object): Promise<void> => {
    const compiled = compileListener(message as Listener, testDeps(), 'in')
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.diagnostics))
    await listeners.set(compiled.value)
  }
  await put(first)
  const gauge = (name: string): number => {
    const family = [...stats.families()].find((one) => one.name === name)
    let sum = 0
    for (const [, metric] of family?.series() ?? []) sum += (metric as { value: number }).value
    return sum
  }
  const connect = async (): Promise<Client> =>
    new Client(await network.connect({ address: { address: '127.0.0.1', port: PORT }, timeoutMs: 0 }), clock.advanceAsync)
  return { clock, listeners, put, connect, gauge, app }
}

/** Answers each request with its path, `/held` when it is told to; says what it hears when it is not HTTP. */
async function startApp(network: ReturnType<typeof createMemoryNetwork>) {
  const held: (() => void)[] = []
  const heard: string[] = []
  await network.listen({ address: { address: '127.0.0.1', port: APP } }, (connection) => {
    connection.handle({
      onData(bytes) {
        const text = Buffer.from(bytes).toString('latin1')
        const path = /^GET (\S+)/.exec(text)?.[1]
        if (path === undefined) {
          connection.write(Buffer.from(`heard ${text}`))
          return
        }
        heard.push(path)
        const answer = (): void => {
          connection.write(Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${path.length}\r\n\r\n${path}`))
        }
        if (path === '/held') held.push(answer)
        else answer()
      },
      onEnd: () => connection.end(),
      onDrain() {},
      onClose() {},
    })
    connection.resume()
  })
  const release = (): void => {
    for (const answer of held.splice(0)) answer()
  }
  return { heard, release }
}

class Client {
  received = ''
  over = false
  readonly #connection: Connection
  readonly #settle: (ms: number) => Promise<void>

  constructor(connection: Connection, settle: (ms: number) => Promise<void>) {
    this.#connection = connection
    this.#settle = settle
    connection.handle({
      onData: (bytes) => {
        this.received += Buffer.from(bytes).toString('latin1')
      },
      onEnd: () => {
        this.over = true
        connection.end()
      },
      onDrain() {},
      onClose: () => {
        this.over = true
      },
    })
    connection.resume()
  }

  /** What came in answer to it. */
  async say(text: string): Promise<string> {
    this.received = ''
    this.#connection.write(Buffer.from(text))
    await this.#settle(10)
    return this.received
  }

  get(path: string): Promise<string> {
    return this.say(`GET ${path} HTTP/1.1\r\nhost: web\r\n\r\n`)
  }

  async status(path = '/'): Promise<string> {
    return (await this.get(path)).slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length)
  }

  async close(): Promise<void> {
    this.#connection.destroy()
    await this.#settle(10)
  }
}

describe('an idle HTTP connection', () => {
  it('obeys the new listener from its very next request on', async () => {
    const { put, connect, listeners, gauge, app } = await setUp(listener([manager()]))
    const client = await connect()
    expect(await client.status('/1')).toBe('200')
    await put(listener([manager([denyRequests])]))
    expect(await client.status('/2')).toBe('403')
    await put(listener([manager()]))
    expect(await client.status('/3')).toBe('200')
    expect(app.heard).toEqual(['/1', '/3'])
    expect(client.over).toBe(false)
    expect(gauge('envoy_http_downstream_cx_total')).toBe(1)
    expect(listeners.draining).toBe(0)
  })

  it('is counted by the manager that has it, to its end', async () => {
    const { put, connect, gauge, listeners } = await setUp(listener([manager()]))
    const client = await connect()
    await client.get('/')
    await put(listener([manager([], { stat_prefix: 'other' })]))
    await client.get('/')
    expect(listeners.listeners.map(({ connections }) => connections)).toEqual([1])
    const active = ['envoy_http_downstream_cx_active', 'envoy_listener_downstream_cx_active']
    expect(active.map(gauge)).toEqual([1, 1])
    await client.close()
    expect(active.map(gauge)).toEqual([0, 0])
    expect(gauge('envoy_http_downstream_cx_destroy')).toBe(1)
    expect(listeners.listeners.map(({ connections }) => connections)).toEqual([0])
  })

  it.each([
    ['another TLS context', listener([manager()], tls('h2'))],
    ['another codec', listener([manager([], { codec_type: 'HTTP1' })], tls('http/1.1'))],
    ['another kind of filter at the end', listener([proxy], tls('http/1.1'))],
    [
      'another address',
      listener([manager()], tls('http/1.1'), { address: { socket_address: { address: '127.0.0.1', port_value: 8081 } } }),
    ],
    ['no chain for it', listener([manager()], { ...tls('http/1.1'), filter_chain_match: { destination_port: 1 } })],
    ['a guard that refuses it', listener([denyConnections, manager()], tls('http/1.1'))],
  ])('is closed at once when there is %s', async (_, next) => {
    const { put, connect, clock, listeners, app } = await setUp(listener([manager()], tls('http/1.1')))
    const client = await connect()
    expect(await client.status('/1')).toBe('200')
    await put(next)
    expect(await client.get('/2')).toBe('')
    expect(client.over).toBe(true)
    expect(app.heard).toEqual(['/1'])
    await clock.advanceAsync(1500)
    expect(listeners.draining).toBe(0)
  })

  it('is closed even when half a head has come: no chain would judge the request', async () => {
    const { put, connect, app } = await setUp(listener([manager()], tls('http/1.1')))
    const client = await connect()
    await client.say('GET /half HTTP/1.1\r\n')
    await put(listener([manager()], tls('h2')))
    expect(await client.say('host: web\r\n\r\n')).toBe('')
    expect(app.heard).toEqual([])
  })

  it('stays for one more request when its listener is removed', async () => {
    const { listeners, connect, clock } = await setUp(listener([manager()]))
    const client = await connect()
    await client.get('/')
    listeners.remove('in')
    await clock.advanceAsync(0)
    expect(await client.get('/')).toMatch(/^HTTP\/1\.1 200.*connection: close/s)
    expect(client.over).toBe(true)
  })
})

describe('a request', () => {
  it('under way goes on as it began; the next one of the same connection does not', async () => {
    const { put, connect, app, gauge } = await setUp(listener([manager()]))
    const client = await connect()
    await client.get('/held')
    await put(listener([manager([denyRequests])]))
    app.release()
    expect(await client.say('')).toMatch(/^HTTP\/1\.1 200/)
    expect(await client.status()).toBe('403')
    expect(gauge('envoy_http_downstream_rq_active')).toBe(0)
  })

  it('that waits behind it in the pipeline is judged by the new chain', async () => {
    const { put, connect, app } = await setUp(listener([manager()]))
    const client = await connect()
    await client.say('GET /held HTTP/1.1\r\nhost: web\r\n\r\nGET /next HTTP/1.1\r\nhost: web\r\n\r\n')
    await put(listener([manager([denyRequests])]))
    app.release()
    expect(await client.say('')).toMatch(/^HTTP\/1\.1 200.*HTTP\/1\.1 403/s)
    expect(app.heard).toEqual(['/held'])
  })

  it('under way is answered before its connection closes, when no chain goes on with it', async () => {
    const { put, connect, app, listeners, clock } = await setUp(listener([manager()], tls('http/1.1')))
    const client = await connect()
    await client.say('GET /held HTTP/1.1\r\nhost: web\r\n\r\nGET /next HTTP/1.1\r\nhost: web\r\n\r\n')
    await put(listener([manager()], tls('h2')))
    expect([client.over, listeners.draining]).toEqual([false, 1])
    app.release()
    expect(await client.say('')).toMatch(/^HTTP\/1\.1 200.*connection: close\r\n\r\n\/held$/s)
    expect([client.over, app.heard]).toEqual([true, ['/held']])
    await clock.advanceAsync(1500)
    expect(listeners.draining).toBe(0)
  })
})

describe('a connection in its handshake', () => {
  async function duringHandshake(next: object) {
    let finish = (): void => {}
    const slow: Tls = {
      ...openTls,
      async accept(connection, context) {
        await new Promise<void>((resolve) => {
          finish = resolve
        })
        return openTls.accept(connection, context)
      },
    }
    const { put, connect, clock } = await setUp(listener([manager()], tls('http/1.1')), slow)
    const client = await connect()
    await clock.advanceAsync(0)
    await put(next)
    finish()
    return client
  }

  it('comes under the listener that is in force when it is done', async () => {
    const client = await duringHandshake(listener([manager([denyRequests])], tls('http/1.1')))
    expect(await client.status()).toBe('403')
  })

  it('is closed when that one asks for another', async () => {
    const client = await duringHandshake(listener([manager()], tls('h2')))
    expect(await client.get('/')).toBe('')
    expect(client.over).toBe(true)
  })
})

describe('a TCP connection', () => {
  it('goes on until the drain time', async () => {
    const { put, connect, clock, listeners } = await setUp(listener([proxy]))
    const client = await connect()
    expect(await client.say('a')).toBe('heard a')
    await put(listener([proxy], {}, { traffic_direction: 'INBOUND' }))
    expect(await client.say('b')).toBe('heard b')
    expect(listeners.draining).toBe(1)
    await clock.advanceAsync(DRAIN_MS)
    expect([client.over, listeners.draining]).toEqual([true, 0])
  })

  it.each([1, 3])('is closed by a guard that no longer lets it in, after %i updates', async (updates) => {
    const { put, connect, clock, listeners } = await setUp(listener([proxy]))
    const client = await connect()
    await client.say('a')
    for (let i = 1; i < updates; i++) await put(listener([proxy], {}, { listener_filters_timeout: `${i}s` }))
    await put(listener([denyConnections, proxy]))
    expect(await client.say('b')).toBe('')
    await clock.advanceAsync(0)
    expect([client.over, listeners.draining]).toEqual([true, 0])
  })
})

it('a thousand replacements leave no session and no timer behind', async () => {
  const { put, connect, clock, listeners, gauge } = await setUp(listener([manager()]))
  const client = await connect()
  await client.get('/')
  const { pending } = clock
  for (let i = 0; i < 1000; i++) await put(listener([manager([], { server_name: `revision ${i}` })]))
  expect(await client.get('/')).toMatch(/server: revision 999/)
  expect(listeners.draining).toBe(0)
  expect(clock.pending).toBeLessThanOrEqual(pending)
  expect(gauge('envoy_http_downstream_cx_active')).toBe(1)
})
