import { createHash, randomBytes } from 'node:crypto'
import { createMetricsRegistry, createWatch, systemClock } from '@heddle/runtime'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ownCodecs, serveHttp } from '../src/http/auto.js'
import { bodyOf } from '../src/http/body.js'
import type { ClientSession, ServerOptions } from '../src/http/codec.js'
import { DEFAULT_HTTP2_OPTIONS } from '../src/http/h2/options.js'
import { createHeaderMap } from '../src/http/header-map.js'
import type { Connection } from '../src/net/connection.js'
import { createMemoryNetwork } from '../src/net/memory.js'
import type { Network } from '../src/net/network.js'
import { createTls } from '../src/net/node-tls.js'
import { createSystemNetwork } from '../src/net/socket.js'
import { createTimers } from '../src/net/timers.js'
import type { ClientTlsContext, ServerTlsContext, TlsMaterial } from '../src/net/tls.js'
import { createCodecStats } from '../src/observe/codec-stats.js'
import { type Identity, issue, spiffe } from './certificates.js'
import { cluster, endpoint, routeTable, startProxy, upstreamHttp } from './harness.js'

/** The same scenarios through {HTTP/1.1, HTTP/2} x {plain, TLS, mTLS} x {sockets, in memory}, the same on both sides of the proxy. */

type Protocol = 'HTTP1' | 'HTTP2'
type Security = 'plain' | 'TLS' | 'mTLS'

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

let root: Identity
let server: Identity
let client: Identity
beforeAll(() => {
  root = issue({ commonName: 'root', ca: true })
  server = issue({ commonName: 'server', uris: [spiffe('server')] }, root)
  client = issue({ commonName: 'client', uris: [spiffe('client')] }, root)
})

const NAMES = { HTTP1: 'http/1.1', HTTP2: 'h2' } as const
const common = (identity: Identity | undefined): Pick<ClientTlsContext, 'material' | 'minVersion' | 'maxVersion'> => ({
  material: createWatch<TlsMaterial | undefined>({
    ...(identity && { certificateChain: identity.certificate, privateKey: identity.key }),
    trustBundle: root.certificate,
  }),
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
})
const clientTls = (security: Security, protocol: Protocol): ClientTlsContext | undefined =>
  security === 'plain' ? undefined : { ...common(security === 'mTLS' ? client : undefined), alpn: [NAMES[protocol]] }
const serverTls = (security: Security): ServerTlsContext | undefined =>
  security === 'plain'
    ? undefined
    : { ...common(server), alpn: ['h2', 'http/1.1'], requireClientCertificate: security === 'mTLS' }

/** A network on whose listeners TLS ends as `security` says. */
function secured(network: Network, security: Security): Network {
  const context = serverTls(security)
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

/** Sends back what it gets, with trailers that tell how much it was. */
function serveEcho(connection: Connection): void {
  serveHttp(ownCodecs, 'AUTO', connection, codecOptions, {
    onRequest(exchange) {
      exchange.events = { onDone() {}, onBroken() {}, onReset() {} }
      const { body, headers } = exchange.request
      const answer = createHeaderMap([['x-client', connection.tls?.peerUris[0] ?? 'nobody']])
      let length = 0
      exchange.respond(
        {
          status: 200,
          headers: answer,
          body: {
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
                end: () => sink.end(createHeaderMap([['x-length', `${length} of ${headers.get('x-sent')}`]])),
                abort: (error) => sink.abort(error),
              }),
          },
        },
        false,
      )
    },
    onRefused: (exchange) => exchange.reset(),
    onInvalid() {},
    onClose() {},
  })
}

interface Answer {
  readonly status: number
  readonly client: string | undefined
  readonly body: Buffer
  readonly trailer: string | undefined
}

function post(session: ClientSession, body: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = createHeaderMap([['x-sent', String(body.length)]])
    const line = { method: 'POST', scheme: 'http', authority: 'app', path: '/', protocol: 'HTTP/1.1' as const }
    session.send(
      { ...line, headers, body: bodyOf(body) },
      {
        onFree() {},
        onEnd() {},
        onReset: (reason, error) => reject(new Error(`${reason}: ${error?.message}`)),
        onResponse(response) {
          const chunks: Buffer[] = []
          response.body.consume({
            data: (chunk) => chunks.push(Buffer.from(chunk)) > 0,
            end: (trailers) =>
              resolve({
                status: response.status,
                client: response.headers.get('x-client'),
                body: Buffer.concat(chunks),
                trailer: trailers?.get('x-length'),
              }),
            abort: reject,
          })
        },
      },
    )
  })
}

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const CASES = (['HTTP1', 'HTTP2'] as const).flatMap((protocol) =>
  (['plain', 'TLS', 'mTLS'] as const).flatMap((security) =>
    (['sockets', 'memory'] as const).map((place) => ({ protocol, security, place })),
  ),
)

describe.each(CASES)('$protocol, $security, $place', ({ protocol, security, place }) => {
  const closing: (() => Promise<void> | void)[] = []
  let session: ClientSession
  let log: readonly unknown[]
  beforeAll(async () => {
    const bare = place === 'memory' ? createMemoryNetwork() : createSystemNetwork({ clock: systemClock })
    const network = secured(bare, security)
    const connections: Connection[] = []
    const echo = await network.listen({ address: { address: '127.0.0.1', port: 0 } }, (connection) => {
      connections.push(connection)
      serveEcho(connection)
    })
    const context = clientTls(security, protocol)
    const proxy = await startProxy({
      table: routeTable('u'),
      network,
      tls,
      manager: { enableTrailers: true },
      clusters: [
        cluster('u', [endpoint(echo.address.port)], {
          http: upstreamHttp({ protocol, enableTrailers: true }),
          tlsFor: () => context,
        }),
      ],
    })
    log = proxy.log
    const outgoing = await bare.connect({ address: { address: '127.0.0.1', port: proxy.port }, timeoutMs: 20_000 })
    const connection = context === undefined ? outgoing : await tls.connect(outgoing, context)
    const codec = protocol === 'HTTP1' ? ownCodecs.http1 : ownCodecs.http2
    session = codec.connect(connection, codecOptions, { onAvailable() {}, onDraining() {}, onClose() {} })
    closing.push(
      () => connection.destroy(),
      () => proxy.close(),
      () => {
        for (const one of connections) one.destroy()
      },
      () => echo.close(),
    )
  })
  afterAll(async () => {
    for (const close of closing) await close()
  })

  test('a body goes both ways byte for byte, its trailers behind it', async () => {
    const body = randomBytes(1_000_003)
    const answer = await post(session, body)
    expect(answer.status).toBe(200)
    expect(answer.trailer).toBe('1000003 of 1000003')
    expect(sha(answer.body)).toBe(sha(body))
    expect(answer.client).toBe(security === 'mTLS' ? spiffe('client') : 'nobody')
  })

  test('many requests on one connection', async () => {
    const before = log.length
    const bodies = Array.from({ length: 40 }, (_, i) => randomBytes(i * 100))
    const answers: Answer[] = []
    if (protocol === 'HTTP2') answers.push(...(await Promise.all(bodies.map((body) => post(session, body)))))
    else for (const body of bodies) answers.push(await post(session, body))
    for (const [i, answer] of answers.entries()) expect(answer.body.equals(bodies[i]!)).toBe(true)
    await expect.poll(() => log.length - before).toBe(40)
  })
})
