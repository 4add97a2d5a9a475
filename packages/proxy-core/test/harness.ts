import {
  createServer,
  type IncomingMessage,
  request as nodeRequest,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { type AddressInfo, connect as connectNet } from 'node:net'
import { type Clock, createMetricsRegistry, createWatch, silentLogger, systemClock, systemRandom } from '@heddle/runtime'
import type { CompiledCluster, HttpManager } from '../src/config/compiled.js'
import type { Codecs } from '../src/http/auto.js'
import { DEFAULT_HTTP2_OPTIONS } from '../src/http/h2/options.js'
import { createHttpConnectionManager, type HttpConnectionManager } from '../src/http/manager.js'
import type { Network } from '../src/net/network.js'
import { createSystemNetwork } from '../src/net/socket.js'
import { createTimers } from '../src/net/timers.js'
import type { Tls } from '../src/net/tls.js'
import type { AccessLogEntry } from '../src/observe/access-log.js'
import { createClusterStats, createHttpStats } from '../src/observe/stats.js'
import { NO_MUTATION } from '../src/route/header-mutation.js'
import type { CompiledRoute, CompiledVirtualHost, ForwardAction, RouteTable } from '../src/route/table.js'
import { createRouter } from '../src/router/router.js'
import { type ClusterManager, createClusterManager } from '../src/upstream/cluster-manager.js'
import type { Endpoint } from '../src/upstream/endpoint.js'

/** A manager that does nothing special; what a test is about goes into `overrides`. */
export function httpManager(overrides: Partial<HttpManager> = {}): HttpManager {
  return {
    kind: 'http_connection_manager',
    path: '',
    statPrefix: 'test',
    codec: 'AUTO',
    routes: { kind: 'rds', name: 'r' },
    filters: [],
    discovered: [],
    accessLogs: [],
    serverName: 'heddle',
    serverHeader: 'OVERWRITE',
    via: '',
    useRemoteAddress: false,
    xffNumTrustedHops: 0,
    forwardClientCert: 'SANITIZE',
    setCurrentClientCert: { subject: false, cert: false, chain: false, dns: false, uri: false },
    generateRequestId: true,
    preserveExternalRequestId: false,
    normalizePath: true,
    mergeSlashes: false,
    escapedSlashes: 'KEEP_UNCHANGED',
    headersWithUnderscores: 'ALLOW',
    stripMatchingHostPort: false,
    timeouts: {
      idle: 3_600_000,
      streamIdle: 300_000,
      request: 0,
      requestHeaders: 0,
      drain: 5000,
      delayedClose: 1000,
      maxConnectionDuration: 0,
      maxStreamDuration: 0,
    },
    maxRequestHeadersKb: 60,
    http1SafeMaxConnectionDuration: false,
    maxHeadersCount: 100,
    maxRequestsPerConnection: 0,
    acceptHttp10: false,
    http2: DEFAULT_HTTP2_OPTIONS,
    upgrades: new Set(),
    stripAnyHostPort: false,
    stripTrailingHostDot: false,
    proxy100Continue: false,
    enableTrailers: false,
    addUserAgent: false,
    stripFragment: false,
    skipXffAppend: false,
    appendXForwardedPort: false,
    alwaysSetRequestIdInResponse: false,
    isInternalAddress: () => false,
    suppressEnvoyHeaders: false,
    ...overrides,
  }
}

/** HTTP/1.1 without limits. */
export function upstreamHttp(overrides: Partial<CompiledCluster['http']> = {}): CompiledCluster['http'] {
  return {
    protocol: 'HTTP1',
    idleTimeoutMs: 3_600_000,
    maxRequestsPerConnection: 0,
    maxConnectionDurationMs: 0,
    maxStreamDurationMs: 0,
    enableTrailers: false,
    http2: DEFAULT_HTTP2_OPTIONS,
    maxHeadersCount: 100,
    maxHeadersKb: 60,
    ...overrides,
  }
}

export function endpoint(port: number, overrides: Partial<Endpoint> = {}): Endpoint {
  return {
    address: { address: '127.0.0.1', port },
    weight: 1,
    priority: 0,
    locality: { region: '', zone: '', subZone: '' },
    health: 'HEALTHY',
    metadata: {},
    ...overrides,
  }
}

export function cluster(name: string, endpoints: readonly Endpoint[], overrides: Partial<CompiledCluster> = {}): CompiledCluster {
  const many = 2 ** 32 - 1
  const limits = { maxConnections: many, maxPendingRequests: many, maxRequests: many, maxRetries: many }
  return {
    name,
    altStatName: '',
    discovery: { kind: 'STATIC', endpoints: { endpoints, localities: [], overprovisioningFactor: 140 } },
    connectTimeoutMs: 20_000,
    createPicker(set) {
      let next = 0
      return {
        pick: ({ tried }) => {
          const fresh = set.endpoints.filter((one) => tried?.includes(one) !== true)
          const from = fresh.length > 0 ? fresh : set.endpoints
          return from[next++ % Math.max(1, from.length)]
        },
      }
    },
    circuitBreakers: limits,
    highCircuitBreakers: limits,
    cleanupIntervalMs: 5_000,
    sourceAddresses: [],
    panicThreshold: 50,
    overrideHostStatus: new Set(['UNKNOWN', 'HEALTHY', 'DEGRADED']),
    ignoreNewHostsUntilFirstCheck: false,
    ignoreHealthOnHostRemoval: false,
    closeConnectionsOnHealthFailure: false,
    tlsFor: () => undefined,
    http: upstreamHttp(),
    metadata: {},
    ...overrides,
  }
}

/** Everything goes to `cluster`. */
export function routeTable(
  target: string,
  action: Partial<ForwardAction> = {},
  virtualHost: Partial<CompiledVirtualHost> = {},
): RouteTable {
  const forward: ForwardAction = {
    kind: 'forward',
    target: () => ({ cluster: target }),
    priority: 'DEFAULT',
    timeoutMs: 0,
    rewrite: () => {},
    hash: () => undefined,
    mirrors: [],
    upgrades: new Map(),
    terminatesConnect: false,
    clusterNotFoundStatus: 503,
    autoHostRewrite: false,
    appendForwardedHost: false,
    ...action,
  }
  const route: CompiledRoute = {
    name: 'only',
    index: 0,
    matches: () => true,
    explainMatch: () => ({ matched: true }),
    action: forward,
    requestHeaders: NO_MUTATION,
    responseHeaders: NO_MUTATION,
    perFilterConfig: new Map(),
  }
  const host: CompiledVirtualHost = {
    name: 'all',
    domains: ['*'],
    routes: [route],
    requestHeaders: NO_MUTATION,
    responseHeaders: NO_MUTATION,
    perFilterConfig: new Map(),
    includeAttemptCountInRequest: false,
    includeAttemptCountInResponse: false,
    requireTls: 'NONE',
    ...virtualHost,
  }
  return {
    name: 'r',
    virtualHosts: [host],
    requestHeaders: NO_MUTATION,
    responseHeaders: NO_MUTATION,
    mostSpecificHeaderMutationsWins: false,
    internalOnlyHeaders: [],
    perFilterConfig: new Map(),
    clusters: new Set([target]),
    virtualHostOf: () => host,
    explainVirtualHosts: () => [],
    resolve: (head) => ({ kind: 'forward', virtualHost: host, route, target: forward.target(head, systemRandom) }),
  }
}

const noTls: Tls = {
  accept: () => Promise.reject(new Error('no TLS in this test')),
  connect: () => Promise.reject(new Error('no TLS in this test')),
}

export interface TestProxy {
  readonly port: number
  readonly manager: HttpConnectionManager
  readonly clusters: ClusterManager
  readonly log: AccessLogEntry[]
  close(): Promise<void>
}

export interface TestProxyOptions {
  readonly manager?: Partial<HttpManager>
  readonly table: RouteTable
  readonly clusters: readonly CompiledCluster[]
  readonly network?: Network
  readonly tls?: Tls
  readonly retryBufferBytes?: number
  /** Of timeouts; the system's by default. Sockets keep their own time. */
  readonly clock?: Clock
  readonly codecs?: Codecs
}

/** Listener, HTTP manager, router and clusters on real sockets. */
export async function startProxy(options: TestProxyOptions): Promise<TestProxy> {
  const clock = options.clock ?? systemClock
  const random = systemRandom
  const network = options.network ?? createSystemNetwork({ clock: systemClock })
  const timers = createTimers({ clock })
  const stats = createMetricsRegistry()
  const tls = options.tls ?? noTls
  const codecs = options.codecs === undefined ? {} : { codecs: options.codecs }
  const clusters = createClusterManager({
    ...{ network, tls, timers, clock, random },
    ...codecs,
    stats: (name) => createClusterStats(stats, name),
  })
  for (const one of options.clusters) clusters.set(one, undefined)
  const retryBufferBytes = options.retryBufferBytes
  const router = createRouter({
    clusters,
    timers,
    clock,
    random,
    ...(retryBufferBytes === undefined ? {} : { retryBufferBytes }),
  })
  const log: AccessLogEntry[] = []
  const manager = createHttpConnectionManager({
    manager: httpManager({ accessLogs: [{ name: 'test', log: (entry) => log.push(entry) }], ...options.manager }),
    routes: createWatch<RouteTable | undefined>(options.table),
    ...codecs,
    forwarder: router,
    timers,
    stats: createHttpStats(stats, 'test'),
    filterDeps: {
      clock,
      random,
      logger: silentLogger,
      node: { id: 'n', cluster: 'c', metadata: {} },
      stats,
      direction: 'UNSPECIFIED',
    },
  })
  const bound = await network.listen({ address: { address: '127.0.0.1', port: 0 } }, (connection) => manager.serve(connection))
  return {
    port: bound.address.port,
    manager,
    clusters,
    log,
    async close() {
      await bound.close()
      manager.destroy()
      clusters.close()
    },
  }
}

export interface TestUpstream {
  readonly port: number
  readonly server: Server
  readonly requests: IncomingMessage[]
  close(): Promise<void>
}

export async function startUpstream(answer: RequestListener): Promise<TestUpstream> {
  const requests: IncomingMessage[] = []
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    requests.push(request)
    answer(request, response)
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    server,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export interface Answer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: Buffer
}

export interface CallOptions {
  readonly method?: string
  readonly path?: string
  readonly headers?: Record<string, string | string[]>
  readonly body?: Uint8Array | string
  readonly agent?: import('node:http').Agent
  /** The head of the answer, and bytes of its body, have come. */
  onHead?(): void
}

/** node:http as the client. Rejects when the response breaks off. */
export function call(port: number, options: CallOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', path = '/', headers = {}, body, agent } = options
    const outgoing = nodeRequest(
      { host: '127.0.0.1', port, method, path, headers, ...(agent === undefined ? { agent: false } : { agent }) },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => {
          if (chunks.push(chunk) === 1) options.onHead?.()
        })
        response.on('error', reject)
        response.on('end', () => {
          if (response.complete)
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) })
          else reject(new Error('incomplete'))
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** Sends bytes as they are; resolves with everything that came until the peer closed, or `until` is in it. */
export function sendRaw(port: number, text: string | Buffer, until?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = ''
    const socket = connectNet(port, '127.0.0.1', () => socket.write(text))
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      received += chunk
      if (until !== undefined && received.includes(until)) {
        socket.destroy()
        resolve(received)
      }
    })
    socket.on('end', () => socket.end())
    socket.on('close', () => resolve(received))
    // A peer that has closed meets what is still being sent with either.
    const closed = new Set(['ECONNRESET', 'EPIPE'])
    socket.on('error', (error: Error & { code?: string }) => (closed.has(error.code ?? '') ? resolve(received) : reject(error)))
  })
}
