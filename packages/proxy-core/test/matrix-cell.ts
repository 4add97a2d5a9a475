import { createHash } from 'node:crypto'
import { createMetricsRegistry, createWatch, systemClock } from '@heddle/runtime'
import { ownCodecs, serveHttp } from '../src/http/auto.js'
import { bodyOf } from '../src/http/body.js'
import type { ClientExchange, ClientSession, ServerExchange, ServerOptions } from '../src/http/codec.js'
import { DEFAULT_HTTP2_OPTIONS } from '../src/http/h2/options.js'
import { createHeaderMap } from '../src/http/header-map.js'
import type { Body, BodySink, HttpRequest } from '../src/http/message.js'
import type { Connection } from '../src/net/connection.js'
import { createMemoryNetwork } from '../src/net/memory.js'
import type { Network } from '../src/net/network.js'
import { createTls } from '../src/net/node-tls.js'
import { createSystemNetwork } from '../src/net/socket.js'
import { createTimers } from '../src/net/timers.js'
import type { ClientTlsContext, ServerTlsContext, TlsMaterial } from '../src/net/tls.js'
import { createCodecStats } from '../src/observe/codec-stats.js'
import type { RetryPolicy, RouteTable } from '../src/route/table.js'
import { type Identity, issue, spiffe } from './certificates.js'
import { cluster, endpoint, routeTable, startProxy, type TestProxy, upstreamHttp } from './harness.js'

export type Protocol = 'HTTP1' | 'HTTP2'
export type Security = 'plain' | 'TLS' | 'mTLS'

const tls = createTls()
const timers = createTimers({ clock: systemClock })
const stats = createCodecStats(createMetricsRegistry())
const codecOptions: ServerOptions = {
  scheme: 'http',
  maxHeadersKb: 60,
  maxHeadersCount: 100,
  acceptHttp10: false,
  enableTrailers: true,
  http2: DEFAULT_HTTP2_OPTIONS,
  timers,
  stats,
  timeouts: { idle: 0, headers: 0, delayedClose: 1000, drain: 0 },
}

export interface Identities {
  readonly root: Identity
  readonly server: Identity
  readonly client: Identity
}

export function issueAll(): Identities {
  const root = issue({ commonName: 'root', ca: true })
  return {
    root,
    server: issue({ commonName: 'server', uris: [spiffe('server')] }, root),
    client: issue({ commonName: 'client', uris: [spiffe('client')] }, root),
  }
}

const NAMES = { HTTP1: 'http/1.1', HTTP2: 'h2' } as const
const common = (
  { root }: Identities,
  own: Identity | undefined,
): Pick<ClientTlsContext, 'material' | 'minVersion' | 'maxVersion'> => ({
  material: createWatch<TlsMaterial | undefined>({
    ...(own && { certificateChain: own.certificate, privateKey: own.key }),
    trustBundle: root.certificate,
  }),
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
})
const clientTls = (all: Identities, { security, protocol }: Kind): ClientTlsContext | undefined =>
  security === 'plain' ? undefined : { ...common(all, security === 'mTLS' ? all.client : undefined), alpn: [NAMES[protocol]] }
const serverTls = (all: Identities, { security }: Kind): ServerTlsContext | undefined =>
  security === 'plain'
    ? undefined
    : { ...common(all, all.server), alpn: ['h2', 'http/1.1'], requireClientCertificate: security === 'mTLS' }

/** A network on whose listeners TLS ends as `context` says. */
function secured(network: Network, context: ServerTlsContext | undefined): Network {
  if (context === undefined) return network
  return {
    connect: (options) => network.connect(options),
    listen: (options, accept) =>
      network.listen(options, (connection) => {
        tls.accept(connection, context).then(
          (one) => {
            accept(one)
            one.resume()
          },
          () => {},
        )
      }),
  }
}

/** What the app saw of one kind of path. */
export interface Seen {
  requests: number
  resets: number
  /** Answers the latest request that is held. */
  release: () => void
}

const nothing = { onDone() {}, onBroken() {}, onReset() {} }

/** Answers as the path says: `/` sends back what it gets, with trailers that tell how much it was. */
function answer(exchange: ServerExchange, connection: Connection, seen: Seen): void {
  const { path, body, headers } = exchange.request
  seen.requests++
  exchange.events = { ...nothing, onReset: () => void seen.resets++ }
  if (path === '/silent') return
  if (path === '/held') {
    seen.release = () => exchange.respond({ status: 200, headers: createHeaderMap(), body: bodyOf('held') }, false)
    return
  }
  if (path === '/half') {
    exchange.respond({ status: 200, headers: createHeaderMap(), body: halfOf('half a body') }, false)
    return
  }
  const status = path.startsWith('/flaky') && headers.get('x-envoy-attempt-count') !== '3' ? 503 : 200
  const client = connection.tls?.peerUris[0] ?? 'nobody'
  const told = createHeaderMap([
    ['x-client', client],
    ['x-attempts', headers.get('x-envoy-attempt-count') ?? ''],
  ])
  exchange.respond({ status, headers: told, body: echoOf(body, headers.get('x-sent') ?? '') }, false)
}

function echoOf(body: Body, wanted: string): Body {
  let length = 0
  return {
    length: undefined,
    pause: () => body.pause(),
    resume: () => body.resume(),
    discard: () => body.discard(),
    consume: (sink) =>
      body.consume({
        data(chunk) {
          length += chunk.length
          return sink.data(chunk)
        },
        end: () => sink.end(createHeaderMap([['x-length', `${length} of ${wanted}`]])),
        abort: (error) => sink.abort(error),
      }),
  }
}

/** Breaks off behind its bytes. */
const halfOf = (text: string): Body => ({
  length: undefined,
  pause() {},
  resume() {},
  discard() {},
  consume(sink) {
    sink.data(Buffer.from(text))
    setImmediate(() => sink.abort(new Error('the app breaks off')))
  },
})

/** A body whose bytes the test brings. */
export interface OwnBody extends Body {
  push(text: string): void
  end(): void
}

export function ownBody(): OwnBody {
  let sink: BodySink | undefined
  return {
    length: undefined,
    pause() {},
    resume() {},
    discard() {},
    consume(one) {
      sink = one
    },
    push: (text) => void sink?.data(Buffer.from(text)),
    end: () => sink?.end(),
  }
}

export interface Answer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
  readonly trailer: string | undefined
}

export interface Call {
  readonly path?: string
  readonly headers?: readonly (readonly [name: string, value: string])[]
  readonly body?: Body
  readonly interim?: (status: number) => void
  /** Bytes of the answer as they come. */
  readonly heard?: (bytes: Buffer) => void
  /** The answer is read a chunk at a time, one in each turn of the loop. */
  readonly slowly?: boolean
  readonly sent?: (exchange: ClientExchange) => void
}

export function ask(session: ClientSession, call: Call = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { path = '/', headers = [], body = bodyOf('') } = call
    const line = { method: 'POST', scheme: 'http', authority: 'app', path, protocol: 'HTTP/1.1' as const }
    const request: HttpRequest = { ...line, headers: createHeaderMap([...headers]), body }
    const exchange = session.send(request, {
      onFree() {},
      onEnd() {},
      onInterim: (status) => call.interim?.(status),
      onReset: (reason, error) => reject(new Error(`${reason}: ${error?.message}`)),
      onResponse(response) {
        const chunks: Buffer[] = []
        response.body.consume({
          data(chunk) {
            const own = Buffer.from(chunk)
            chunks.push(own)
            call.heard?.(own)
            if (call.slowly !== true) return true
            response.body.pause()
            setImmediate(() => response.body.resume())
            return false
          },
          end: (trailers) =>
            resolve({
              status: response.status,
              headers: new Map(response.headers.entries()),
              body: Buffer.concat(chunks),
              trailer: trailers?.get('x-length'),
            }),
          abort: reject,
        })
      },
    })
    call.sent?.(exchange)
  })
}

export const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const RETRY: RetryPolicy = {
  ...{ on: new Set(['5xx']), statusCodes: new Set(), numRetries: 2, perTryTimeoutMs: 0, backoffBaseMs: 1, backoffMaxMs: 2 },
  ...{ avoidPreviousHosts: false, hostSelectionAttempts: 1 },
}

/** `/none` leads nowhere, `/flaky` is tried again, `/silent` is waited for no longer than 50 ms. */
function table(): RouteTable {
  const plain = routeTable('u')
  const flaky = routeTable('u', { retry: RETRY }, { includeAttemptCountInRequest: true })
  const silent = routeTable('u', { timeoutMs: 50 })
  return {
    ...plain,
    resolve(head, random) {
      if (head.path === '/none') return { kind: 'none' }
      return ({ '/flaky': flaky, '/silent': silent }[head.path] ?? plain).resolve(head, random)
    },
  }
}

export interface Kind {
  readonly protocol: Protocol
  readonly security: Security
  readonly place: 'sockets' | 'memory'
}

/** A proxy and an app behind it; both sides of the proxy are of this kind. */
export interface Cell {
  readonly proxy: TestProxy
  readonly seen: Seen
  /** A connection to the proxy of its own. */
  open(closed?: () => void): Promise<ClientSession>
  close(): Promise<void>
}

export async function startCell(kind: Kind, all: Identities): Promise<Cell> {
  const { protocol, place } = kind
  const bare = place === 'memory' ? createMemoryNetwork() : createSystemNetwork({ clock: systemClock })
  const network = secured(bare, serverTls(all, kind))
  const connections: Connection[] = []
  const seen: Seen = { requests: 0, resets: 0, release() {} }
  const app = await network.listen({ address: { address: '127.0.0.1', port: 0 } }, (connection) => {
    connections.push(connection)
    serveHttp(ownCodecs, 'AUTO', connection, codecOptions, {
      onRequest: (exchange) => answer(exchange, connection, seen),
      onRefused: (exchange) => exchange.reset(),
      onInvalid() {},
      onClose() {},
    })
  })
  const context = clientTls(all, kind)
  const http = upstreamHttp({ protocol, enableTrailers: true })
  const proxy = await startProxy({
    ...{ table: table(), network, tls, manager: { enableTrailers: true } },
    clusters: [cluster('u', [endpoint(app.address.port)], { http, tlsFor: () => context })],
  })
  return {
    proxy,
    seen,
    async open(closed = () => {}) {
      const outgoing = await bare.connect({ address: { address: '127.0.0.1', port: proxy.port }, timeoutMs: 20_000 })
      const connection = context === undefined ? outgoing : await tls.connect(outgoing, context)
      connections.push(connection)
      const codec = protocol === 'HTTP1' ? ownCodecs.http1 : ownCodecs.http2
      return codec.connect(connection, codecOptions, { onAvailable() {}, onDraining() {}, onClose: closed })
    },
    async close() {
      await proxy.close()
      for (const one of connections) one.destroy()
      await app.close()
    },
  }
}
