import { createMetricsRegistry, createWatch, silentLogger, systemClock, systemRandom } from '@heddle/runtime'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { CompiledFilterChain, CompiledListener } from '../src/config/compiled.js'
import type { ConnectionFacts } from '../src/filters/listener/facts.js'
import { createHttpConnectionManager } from '../src/http/manager.js'
import type { Connection } from '../src/net/connection.js'
import { createListenerSession } from '../src/net/listener.js'
import { createMemoryNetwork } from '../src/net/memory.js'
import type { Network } from '../src/net/network.js'
import { createTls } from '../src/net/node-tls.js'
import { peerRules } from '../src/net/peer-rules.js'
import { createSystemNetwork } from '../src/net/socket.js'
import { createTimers } from '../src/net/timers.js'
import type { ClientTlsContext, ServerTlsContext, TlsMaterial } from '../src/net/tls.js'
import type { AccessLogEntry } from '../src/observe/access-log.js'
import { createClusterStats, createHttpStats, createListenerStats } from '../src/observe/stats.js'
import type { RouteTable } from '../src/route/table.js'
import { createRouter } from '../src/router/router.js'
import { createClusterManager } from '../src/upstream/cluster-manager.js'
import { type Identity, issue, spiffe } from './certificates.js'
import { cluster, endpoint, httpManager, routeTable } from './harness.js'

const clock = systemClock
const tls = createTls()
let root: Identity
let material: (serviceAccount: string) => TlsMaterial
beforeAll(() => {
  root = issue({ commonName: 'root', ca: true })
  // RSA keys take long to find: one each.
  const made = new Map<string, TlsMaterial>()
  material = (serviceAccount) => {
    const known = made.get(serviceAccount)
    if (known !== undefined) return known
    const identity = issue({ commonName: '', uris: [spiffe(serviceAccount)] }, root)
    const own = { certificateChain: identity.certificate, privateKey: identity.key, trustBundle: root.certificate }
    made.set(serviceAccount, own)
    return own
  }
})

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

interface Hop {
  readonly port: number
  readonly log: AccessLogEntry[]
}

/** A listener with one filter chain before an HTTP manager that sends everything to `next`. */
async function startHop(
  network: Network,
  next: ReturnType<typeof cluster>,
  options: {
    tls?: ServerTlsContext
    chainFor?: (facts: ConnectionFacts, chain: CompiledFilterChain) => CompiledFilterChain | undefined
    xfcc?: boolean
    listenerFiltersTimeoutMs?: number
    allow?: (facts: ConnectionFacts) => boolean
  },
): Promise<Hop> {
  const registry = createMetricsRegistry()
  const timers = createTimers({ clock })
  const clusters = createClusterManager({
    network,
    tls,
    timers,
    clock,
    random: systemRandom,
    stats: (name) => createClusterStats(registry, name),
  })
  clusters.set(next, undefined)
  const log: AccessLogEntry[] = []
  const manager = httpManager({
    accessLogs: [{ name: 'test', log: (entry) => log.push(entry) }],
    ...(options.xfcc === true
      ? {
          forwardClientCert: 'APPEND_FORWARD',
          setCurrentClientCert: { subject: true, cert: false, chain: false, dns: true, uri: true },
        }
      : {}),
  })
  const chain: CompiledFilterChain = {
    name: 'only',
    transportSocketConnectTimeoutMs: 0,
    gates: [],
    authorizers: [],
    observers: [],
    guards:
      options.allow === undefined
        ? []
        : [{ name: 'rbac', allow: options.allow, terminationDetails: () => '', explain: () => '' }],
    terminal: manager,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
  }
  const listener = {
    name: 'l',
    accessLogs: [],
    listenerFilters: options.tls === undefined ? [] : ['tls_inspector', 'http_inspector'],
    listenerFilterEnabled: (name: string) => options.tls !== undefined && name.endsWith('_inspector'),
    listenerFiltersTimeoutMs: options.listenerFiltersTimeoutMs ?? 20_000,
    continueOnListenerFiltersTimeout: false,
    chainFor: (facts: ConnectionFacts) => (options.chainFor === undefined ? chain : options.chainFor(facts, chain)),
  } as unknown as CompiledListener
  const session = createListenerSession({
    listener,
    tls,
    clock,
    logger: silentLogger,
    stats: createListenerStats(registry, 'l'),
    terminal: () =>
      createHttpConnectionManager({
        manager,
        routes: createWatch<RouteTable | undefined>(routeTable(next.name)),
        forwarder: createRouter({ clusters, timers, clock, random: systemRandom }),
        timers,
        stats: createHttpStats(registry, 'l'),
        filterDeps: {
          clock,
          random: systemRandom,
          logger: silentLogger,
          node: { id: '', cluster: '', metadata: {} },
          stats: registry,
          direction: 'INBOUND',
        },
      }),
  })
  const bound = await network.listen({ address: { address: '127.0.0.1', port: 0 } }, (connection) => session.accept(connection))
  closers.push(
    () => bound.close(),
    () => session.close(),
    () => clusters.close(),
  )
  return { port: bound.address.port, log }
}

/** An app that answers what identity it was told. */
async function startApp(network: Network): Promise<number> {
  const bound = await network.listen({ address: { address: '127.0.0.1', port: 0 } }, (connection) => {
    let head = ''
    connection.handle({
      onData(bytes) {
        head += Buffer.from(bytes).toString('latin1')
        if (!head.includes('\r\n\r\n')) return
        const xfcc = /x-forwarded-client-cert: (.*)\r\n/.exec(head)?.[1] ?? 'none'
        head = ''
        connection.write(Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${xfcc.length}\r\n\r\n${xfcc}`))
      },
      onEnd: () => connection.end(),
      onDrain() {},
      onClose() {},
    })
    connection.resume()
  })
  closers.push(() => bound.close())
  return bound.address.port
}

async function get(network: Network, port: number): Promise<string> {
  const connection: Connection = await network.connect({ address: { address: '127.0.0.1', port }, timeoutMs: 20_000 })
  return new Promise((resolve) => {
    let text = ''
    connection.handle({
      onData(bytes) {
        text += Buffer.from(bytes).toString('latin1')
      },
      onEnd: () => connection.end(),
      onDrain() {},
      onClose: () => resolve(text),
    })
    connection.resume()
    connection.write(Buffer.from('GET / HTTP/1.1\r\nhost: app\r\nconnection: close\r\n\r\n'))
  })
}

const serverTls = (serviceAccount: string): ServerTlsContext => ({
  material: createWatch<TlsMaterial | undefined>(material(serviceAccount)),
  alpn: ['h2', 'http/1.1'],
  requireClientCertificate: true,
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
})
const clientTls = (serviceAccount: string, server: string): ClientTlsContext => ({
  material: createWatch<TlsMaterial | undefined>(material(serviceAccount)),
  sni: 'outbound_.80_._.app.default.svc.cluster.local',
  alpn: ['istio-http/1.1', 'http/1.1'],
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  rules: peerRules({ names: [(san) => san.uris.includes(spiffe(server))] }),
})

describe.each([
  ['sockets', () => createSystemNetwork({ clock })],
  ['the in-process network', createMemoryNetwork],
])('client -> sidecar -> mTLS -> sidecar -> app over %s', (_, createNetwork) => {
  test('the app is told who calls, and plain text is refused', async () => {
    const network = createNetwork()
    const app = await startApp(network)
    let facts: ConnectionFacts | undefined
    const inbound = await startHop(network, cluster('app', [endpoint(app)]), {
      tls: serverTls('server'),
      xfcc: true,
      chainFor: (seen, chain) => {
        facts = seen
        return seen.transportProtocol === 'tls' ? chain : undefined
      },
    })
    const context = clientTls('client', 'server')
    const outbound = await startHop(network, cluster('peer', [endpoint(inbound.port)], { tlsFor: () => context }), {})
    const answer = await get(network, outbound.port)
    expect(answer).toContain('HTTP/1.1 200 OK')
    expect(answer).toMatch(new RegExp(`By=${spiffe('server')};Hash=[0-9a-f]{64};Subject="[^"]*";URI=${spiffe('client')}$`))
    expect(facts).toMatchObject({
      transportProtocol: 'tls',
      serverName: 'outbound_.80_._.app.default.svc.cluster.local',
      applicationProtocols: ['istio-http/1.1', 'http/1.1'],
    })
    expect(inbound.log[0]?.info).toMatchObject({ peerPrincipal: spiffe('client'), localPrincipal: spiffe('server'), status: 200 })
    expect(await get(network, inbound.port)).toBe('')
  })

  test('a server that is somebody else gets no request', async () => {
    const network = createNetwork()
    const app = await startApp(network)
    const inbound = await startHop(network, cluster('app', [endpoint(app)]), { tls: serverTls('impostor') })
    const context = clientTls('client', 'server')
    const outbound = await startHop(network, cluster('peer', [endpoint(inbound.port)], { tlsFor: () => context }), {})
    expect(await get(network, outbound.port)).toMatch(/^HTTP\/1\.1 503 .*sa\/impostor/s)
    expect([...outbound.log[0]!.info.flags]).toEqual(['UF'])
    expect(inbound.log).toEqual([])
  })

  test('a network guard judges the verified peer before any byte of HTTP', async () => {
    const network = createNetwork()
    const app = await startApp(network)
    const inbound = await startHop(network, cluster('app', [endpoint(app)]), {
      tls: serverTls('server'),
      allow: (facts) => facts.peerUris?.includes(spiffe('friend')) === true,
    })
    const context = clientTls('client', 'server')
    const outbound = await startHop(network, cluster('peer', [endpoint(inbound.port)], { tlsFor: () => context }), {})
    expect(await get(network, outbound.port)).toMatch(/^HTTP\/1\.1 503 /)
    expect(inbound.log).toEqual([])
  })
})

test('a client that says nothing is cut off by listener_filters_timeout', async () => {
  const network = createSystemNetwork({ clock })
  const inbound = await startHop(network, cluster('app', [endpoint(1)]), {
    tls: serverTls('server'),
    listenerFiltersTimeoutMs: 500,
  })
  const silent = await network.connect({ address: { address: '127.0.0.1', port: inbound.port }, timeoutMs: 20_000 })
  const began = clock.monotonic()
  await new Promise<void>((resolve) =>
    silent.handle({ onData() {}, onEnd: () => silent.end(), onDrain() {}, onClose: () => resolve() }),
  )
  expect(clock.monotonic() - began).toBeGreaterThanOrEqual(450)
})
