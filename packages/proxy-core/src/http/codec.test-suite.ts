import { createMetricsRegistry } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import type { Connection } from '../net/connection.js'
import { createConnectionPair } from '../net/memory.js'
import { createTimers } from '../net/timers.js'
import { createCodecStats } from '../observe/codec-stats.js'
import type { Codecs } from './auto.js'
import { bodyOf, emptyBody, readWhole } from './body.js'
import type { ClientSession, ClientSessionHandler, HttpCodec, ServerExchange, ServerOptions, ServerSession } from './codec.js'
import { DEFAULT_HTTP2_OPTIONS } from './h2/options.js'
import { createHeaderMap, type HeaderMap } from './header-map.js'
import type { Body, BodySink, HttpRequest, HttpResponse, LocalReply } from './message.js'

/** What every {@link HttpCodec} does, whoever is at the other end. */
export function describeCodecs(name: string, server: Codecs, client: Codecs): void {
  describe.each([
    ['HTTP/1.1', server.http1, client.http1],
    ['HTTP/2', server.http2, client.http2],
  ] as const)(`${name}: %s`, (protocol, serving, calling) => {
    const start = (answer: (exchange: ServerExchange) => void): Pair => createPair(serving, calling, answer)

    it('tells requests and answers with their fields, line by line', async () => {
      let seen: HttpRequest | undefined
      const { session, close } = start((exchange) => {
        seen = exchange.request
        exchange.respond(
          answerOf(201, 'made', [
            ['x-one', '1'],
            ['set-cookie', 'a=1'],
            ['set-cookie', 'b=2'],
          ]),
          false,
        )
      })
      const request = requestOf({
        method: 'POST',
        path: '/a?b=c',
        headers: [
          ['x-two', 'é'],
          ['x-two', '2'],
          ['cookie', 'c=1'],
        ],
        body: bodyOf('x'),
      })
      const { response, bytes } = await call(session, request)
      expect(seen).toMatchObject({ method: 'POST', path: '/a?b=c', authority: 'a.test', scheme: 'http', protocol })
      expect(seen?.headers.getAll('x-two')).toEqual(['é', '2'])
      expect(seen?.headers.get('cookie')).toBe('c=1')
      expect(response.status).toBe(201)
      expect(response.headers.getAll('set-cookie')).toEqual(['a=1', 'b=2'])
      expect(bytes.toString()).toBe('made')
      close()
    })

    it('carries bodies both ways, of known and of unknown length, at the pace of who reads', async () => {
      const sent = Buffer.alloc(700_000, 'heddle ')
      const { session, close } = start(async (exchange) => {
        const { bytes } = await readSlowly(exchange.request.body)
        exchange.respond({ status: 200, headers: createHeaderMap(), body: inPieces(Buffer.from(bytes)) }, false)
      })
      for (const body of [bodyOf(sent), inPieces(sent)]) {
        const { bytes } = await call(session, requestOf({ method: 'POST', body }))
        expect(bytes.equals(sent)).toBe(true)
      }
      expect(session.total).toBe(2)
      close()
    })

    it('passes trailers on', async () => {
      let seen: HeaderMap | undefined
      const { session, close } = start(async (exchange) => {
        seen = (await readWhole(exchange.request.body, 100)).trailers
        exchange.respond(
          { status: 200, headers: createHeaderMap(), body: bodyOf('b', createHeaderMap([['x-after', '2']])) },
          false,
        )
      })
      const body = bodyOf('a', createHeaderMap([['x-late', '1']]))
      const { trailers } = await call(session, requestOf({ method: 'POST', body }))
      expect(seen?.get('x-late')).toBe('1')
      expect(trailers?.get('x-after')).toBe('2')
      close()
    })

    it.each([
      ['HEAD', 200],
      ['GET', 204],
      ['GET', 304],
    ])('%s %i has no body', async (method, status) => {
      const told: [string, Fields] = status === 200 ? ['told, not sent', [['content-length', '14']]] : ['', []]
      const { session, close } = start((exchange) => exchange.respond(answerOf(status, ...told), false))
      for (let i = 0; i < 2; i++) {
        const { response, bytes } = await call(session, requestOf({ method }))
        expect([response.status, bytes.length, response.headers.get('content-length')]).toEqual([status, 0, told[1][0]?.[1]])
      }
      close()
    })

    it('tells interim answers', async () => {
      const { session, close } = start((exchange) => {
        exchange.inform(103, createHeaderMap([['link', '</a.css>']]))
        exchange.respond(answerOf(200, 'ok'), false)
      })
      const { interim, response } = await call(session, requestOf({}))
      expect(interim).toEqual([[103, '</a.css>']])
      expect(response.status).toBe(200)
      close()
    })

    it('upgrades: bytes both ways once the server has agreed', async () => {
      const { session, close } = start((exchange) => {
        expect([exchange.upgrade, exchange.request.method]).toEqual(['websocket', 'GET'])
        exchange.respond({ status: 101, headers: createHeaderMap(UPGRADE), body: echoOf(exchange.request.body) }, false)
      })
      const request = requestOf({ headers: UPGRADE, upgrade: 'websocket', body: inPieces(Buffer.from('frames'), false) })
      expect(await firstBytes(session, request)).toEqual([101, 'frames'])
      close()
    })

    it('opens tunnels by CONNECT', async () => {
      const { session, close } = start((exchange) => {
        expect([exchange.upgrade, exchange.request.authority]).toEqual(['connect', 'a.test:443'])
        exchange.respond({ status: 200, headers: createHeaderMap(), body: echoOf(exchange.request.body) }, false)
      })
      const request = requestOf({
        ...{ method: 'CONNECT', authority: 'a.test:443', path: '', upgrade: 'connect' },
        body: inPieces(Buffer.from('bytes'), false),
      })
      expect(await firstBytes(session, request)).toEqual([200, 'bytes'])
      close()
    })

    it('an upgrade that the server does not agree to has an answer like any other', async () => {
      const { session, close } = start((exchange) => exchange.respond(answerOf(403, 'no'), false))
      const request = requestOf({ headers: UPGRADE, upgrade: 'websocket', body: inPieces(Buffer.from('frames'), false) })
      const { response, bytes } = await call(session, request)
      expect([response.status, bytes.toString()]).toEqual([403, 'no'])
      close()
    })

    it('a server that breaks off is heard of as a reset, after what came', async () => {
      const { session, close } = start((exchange) => {
        exchange.respond({ status: 200, headers: createHeaderMap(), body: inPieces(Buffer.from('part'), false) }, false)
        setImmediate(() => exchange.reset())
      })
      await expect(call(session, requestOf({}))).rejects.toThrow(/protocol_error|remote_reset|connection_termination/)
      close()
    })

    it('a client that gives up is heard of by the server', async () => {
      const { promise, resolve } = promised<string>()
      const { session, close } = start((exchange) => {
        exchange.events = { onDone: () => resolve('done'), onBroken() {}, onReset: () => resolve('reset') }
        exchange.respond({ status: 200, headers: createHeaderMap(), body: inPieces(Buffer.from('part'), false) }, false)
      })
      const under = session.send(requestOf({}), {
        onFree() {},
        onResponse: () => setImmediate(() => under.cancel()),
        onEnd() {},
        onReset() {},
      })
      expect(await promise).toBe('reset')
      close()
    })

    it('a server that drains answers what is under way, and is asked no more', async () => {
      const { session, close, serverSession, events } = start((exchange) => {
        serverSession().drain(false)
        exchange.respond(answerOf(200, 'the last'), false)
      })
      expect((await call(session, requestOf({}))).bytes.toString()).toBe('the last')
      await events.over
      expect(session.available).toBe(false)
      close()
    })

    it('a server that ends its side while nobody asks is asked no more', async () => {
      const { session, close, closed, far, events } = start((exchange) => exchange.respond(answerOf(200, 'ok'), false))
      await call(session, requestOf({}))
      far.end()
      await events.over
      expect([session.available, closed().includes('client')]).toEqual([false, true])
      close()
    })

    it('too many fields are refused', async () => {
      const { session, close } = start((exchange) => exchange.respond(answerOf(200, ''), false))
      const headers: Fields = Array.from({ length: 150 }, (_, i) => [`x-${i}`, 'y'])
      const told = await call(session, requestOf({ headers })).then(
        ({ response }) => response.status,
        () => 'reset',
      )
      expect(told).toBe(protocol === 'HTTP/1.1' ? 431 : 'reset')
      close()
    })

    it('a connection that goes away is heard of on both sides, once', async () => {
      const { promise, resolve } = promised<string>()
      const { session, close, closed } = start((exchange) => {
        exchange.events = { onDone() {}, onBroken() {}, onReset: () => resolve('reset') }
        setImmediate(() => session.destroy())
      })
      await expect(call(session, requestOf({}))).rejects.toThrow()
      expect(await promise).toBe('reset')
      await new Promise((settled) => setImmediate(settled))
      expect(closed()).toEqual(['client', 'server'])
      close()
    })
  })
}

/** What the server of {@link HttpCodec} does with bytes that are no HTTP/1.1. */
export function describeRefusals(name: string, { http1 }: Codecs): void {
  describe(`${name}: what is no HTTP/1.1`, () => {
    it.each([
      ['a line that is none', 'what is this\r\n\r\n', 400],
      ['a version that is not 1', 'GET / HTTP/2.0\r\nhost: a\r\n\r\n', 426],
      ['a target that is none', 'GET a HTTP/1.1\r\nhost: a\r\n\r\n', 400],
      ['fields beyond the limit', `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(70_000)}\r\n\r\n`, 431],
    ])('%s', async (_, request, status) => {
      const { promise, resolve } = promised<[number, number, number]>()
      const { near, close } = createPair(
        http1,
        http1,
        () => {},
        (exchange, reply) => {
          const told = (): void => resolve([reply.status, exchange.bytesSent, reply.body.length])
          exchange.events = { onDone: told, onBroken() {}, onReset() {} }
        },
      )
      near.write(Buffer.from(request))
      const [told, sent, length] = await promise
      expect([told, sent]).toEqual([status, length])
      close()
    })

    it('a body that is not framed as it says', async () => {
      const { promise, resolve } = promised<number>()
      const { near, close } = createPair(http1, http1, (exchange) => {
        exchange.events = { onDone() {}, onBroken: ({ status }) => resolve(status), onReset() {} }
        exchange.request.body.consume({ data: () => true, end() {}, abort() {} })
      })
      near.write(Buffer.from('POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'))
      expect(await promise).toBe(400)
      close()
    })
  })
}

type Fields = readonly (readonly [string, string])[]

const UPGRADE: Fields = [
  ['connection', 'upgrade'],
  ['upgrade', 'websocket'],
]

interface Pair {
  readonly session: ClientSession
  serverSession(): ServerSession
  /** The ends of the connection: the client's and the server's. */
  readonly near: Connection
  readonly far: Connection
  readonly events: { readonly over: Promise<void> }
  /** Who has heard of the end of the connection. */
  closed(): readonly string[]
  close(): void
}

function createPair(
  serving: HttpCodec,
  calling: HttpCodec,
  answer: (exchange: ServerExchange) => void,
  refused: (exchange: ServerExchange, reply: LocalReply) => void = () => {},
): Pair {
  const address = { address: '127.0.0.1', port: 1 }
  const [near, far] = createConnectionPair(address, { ...address, port: 2 })
  const timers = createTimers({ clock: createFakeClock() })
  const options: ServerOptions = {
    ...{ scheme: 'http', maxHeadersKb: 60, maxHeadersCount: 100, acceptHttp10: false, enableTrailers: true, timers },
    http2: { ...DEFAULT_HTTP2_OPTIONS, allowConnect: true },
    stats: createCodecStats(createMetricsRegistry()),
    timeouts: { idle: 0, headers: 0, delayedClose: 0, drain: 0 },
  }
  const closed: string[] = []
  const over = promised<void>()
  const served = serving.serve(far, options, {
    onRequest: answer,
    onRefused(exchange, reply) {
      refused(exchange, reply)
      exchange.respond(answerOf(reply.status, reply.body), true)
    },
    onInvalid() {},
    onClose: () => void closed.push('server'),
  })
  const handler: ClientSessionHandler = {
    onAvailable() {},
    onDraining: () => over.resolve(),
    onClose() {
      closed.push('client')
      over.resolve()
    },
  }
  const session = calling.connect(near, options, handler)
  return {
    session,
    near,
    far,
    serverSession: () => served,
    events: { over: over.promise },
    closed: () => closed.toSorted(),
    close() {
      near.destroy()
      far.destroy()
    },
  }
}

interface Answer {
  readonly response: HttpResponse
  readonly bytes: Buffer
  readonly trailers: HeaderMap | undefined
  readonly interim: readonly (readonly [number, string | undefined])[]
}

function call(session: ClientSession, request: HttpRequest): Promise<Answer> {
  const interim: [number, string | undefined][] = []
  return new Promise((resolve, reject) => {
    session.send(request, {
      onFree() {},
      onInterim: (status, headers) => void interim.push([status, headers.get('link')]),
      onResponse(response) {
        readSlowly(response.body).then(({ bytes, trailers }) => resolve({ response, bytes, trailers, interim }), reject)
      },
      onEnd() {},
      onReset: (reason) => reject(new Error(reason)),
    })
  })
}

/** Status and first bytes of a tunnel, which is given up then. */
function firstBytes(session: ClientSession, request: HttpRequest): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const under = session.send(request, {
      onFree() {},
      onResponse({ status, body }) {
        const data = (chunk: Uint8Array): boolean => {
          resolve([status, Buffer.from(chunk).toString()])
          setImmediate(() => under.cancel())
          return true
        }
        body.consume({ data, end() {}, abort: reject })
      },
      onEnd() {},
      onReset: (reason) => reject(new Error(reason)),
    })
  })
}

function requestOf(given: Partial<Omit<HttpRequest, 'headers'>> & { headers?: Fields }): HttpRequest {
  const { headers = [], ...rest } = given
  const fields = { method: 'GET', scheme: 'http', authority: 'a.test', path: '/', protocol: 'HTTP/1.1' as const, body: emptyBody }
  return { ...fields, ...rest, headers: createHeaderMap(headers) }
}

function answerOf(status: number, text: string, headers: Fields = []): HttpResponse {
  return { status, headers: createHeaderMap(headers), body: bodyOf(text) }
}

/** Takes a chunk, and the next one only later. */
function readSlowly(body: Body): Promise<{ bytes: Buffer; trailers: HeaderMap | undefined }> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    body.consume({
      data(chunk) {
        chunks.push(Buffer.from(chunk))
        setImmediate(() => body.resume())
        return false
      },
      end: (trailers) => resolve({ bytes: Buffer.concat(chunks), trailers }),
      abort: reject,
    })
  })
}

const PIECE = 20_000

/** A body of unknown length that waits whenever it is told to; with `ends` false more seems to follow. */
function inPieces(bytes: Buffer, ends = true): Body {
  let [at, sink, dropped, paused] = [0, undefined as BodySink | undefined, false, false]
  const go = (): void => {
    while (!dropped && !paused && at < bytes.length) {
      const piece = bytes.subarray(at, at + PIECE)
      at += piece.length
      if (sink?.data(piece) === false) return
    }
    if (at < bytes.length || !ends || dropped || paused) return
    dropped = true
    sink?.end()
  }
  return {
    length: undefined,
    consume(consumer) {
      sink = consumer
      go()
    },
    pause() {
      paused = true
    },
    resume() {
      paused = false
      go()
    },
    discard() {
      dropped = true
    },
  }
}

/** Gives back what comes, as it comes. */
function echoOf(body: Body): Body {
  return {
    ...body,
    length: undefined,
    consume: (sink) => body.consume(sink),
    pause: () => body.pause(),
    resume: () => body.resume(),
    discard: () => body.discard(),
  }
}

function promised<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((settled) => {
    resolve = settled
  })
  return { promise, resolve }
}
