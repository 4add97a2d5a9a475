import { createMetricsRegistry, type Random } from '@heddle/runtime'
import { createFakeClock, createSeededRandom } from '@heddle/runtime/testing'
import { expect, test } from 'vitest'
import type { Connection } from '../../net/connection.js'
import { createConnectionPair } from '../../net/memory.js'
import { createTimers } from '../../net/timers.js'
import { createCodecStats } from '../../observe/codec-stats.js'
import type { ServerExchange, ServerSession } from '../codec.js'
import { createHeaderMap } from '../header-map.js'
import type { Body, BodySink } from '../message.js'
import { FLAG, FRAME, PREFACE, SETTING } from './frames.js'
import { DEFAULT_HTTP2_OPTIONS } from './options.js'
import { serveHttp2 } from './server.js'
import { settingsPayload } from './settings.js'

/**
 * A model of a client that counts windows by RFC 9113 §5.2 and §6.9 alone, against the codec over a seeded schedule of frames:
 * neither side ever sends more than it may, nothing is lost or reordered, and nothing waits for ever.
 */

/** Frames that the schedules have together; HEDDLE_SOAK plays more of them. */
const FRAMES = process.env['HEDDLE_SOAK'] === undefined ? 100_000 : 2_000_000
const OUR_STREAM_WINDOW = 65_535
const OUR_CONNECTION_WINDOW = 100_000

interface ModelStream {
  readonly id: number
  readonly uploads: number
  readonly downloads: number
  /** What the server may still send, and has sent. */
  toUs: number
  received: number
  ended: boolean
  /** What the server lets us send, and we have sent. */
  toServer: number
  sent: number
}

// The octet at a place of a stream's body is `stream + place`, so that a part of any body is a part of this.
const OCTETS = Buffer.from(Array.from({ length: 400_000 }, (_, at) => at & 255))

const bodyPart = (stream: number, from: number, length: number): Buffer => OCTETS.subarray(stream + from, stream + from + length)

function expectPart(stream: number, from: number, part: Uint8Array): void {
  if (bodyPart(stream, from, part.length).compare(part) !== 0) throw new Error(`stream ${stream} is out of order at ${from}`)
}

function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(9)
  header.writeUIntBE(payload.length, 0, 3)
  header[3] = type
  header[4] = flags
  header.writeUInt32BE(streamId, 5)
  return Buffer.concat([header, payload])
}

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

// GET or POST, http, /, authority a
const HEAD = (post: boolean): Buffer => Buffer.from([post ? 0x83 : 0x82, 0x86, 0x84, 0x41, 0x01, 0x61])

/** The server's user: takes requests with pauses, answers with bodies in pieces. */
class User {
  readonly #random: Random
  readonly wanted: Map<number, number>
  readonly got = new Map<number, number>()
  #next = 1
  readonly #paused: (() => void)[] = []

  constructor(random: Random, wanted: Map<number, number>) {
    this.#random = random
    this.wanted = wanted
  }

  onRequest(exchange: ServerExchange): void {
    const id = this.#next
    this.#next += 2
    exchange.events = { onDone() {}, onBroken() {}, onReset: (error) => expect(error).toBe('never') }
    const { body } = exchange.request
    let at = 0
    const sink: BodySink = {
      data: (chunk) => {
        expectPart(id, at, chunk)
        at += chunk.length
        this.got.set(id, at)
        if (this.#random.next() < 0.7) return true
        this.#paused.push(() => body.resume())
        return false
      },
      end: () => this.#answer(exchange, id),
      abort: (error) => expect(error).toBe('never'),
    }
    body.consume(sink)
  }

  #answer(exchange: ServerExchange, id: number): void {
    const response = { status: 200, headers: createHeaderMap(), body: this.#bodyOf(id) }
    exchange.respond(response, false)
  }

  #bodyOf(id: number): Body {
    const length = this.wanted.get(id)!
    let at = 0
    let sink: BodySink | undefined
    const flow = (): void => {
      while (sink !== undefined && at < length) {
        const part = bodyPart(id, at, Math.min(length - at, 1 + Math.floor(this.#random.next() * 4000)))
        at += part.length
        if (!sink.data(part)) return
      }
      const over = sink
      sink = undefined
      over?.end()
    }
    return {
      length: undefined,
      consume(to) {
        sink = to
        flow()
      },
      pause() {},
      resume: flow,
      discard() {},
    }
  }

  /** Goes on with what was paused. */
  resumeSome(): boolean {
    const run = this.#paused.shift()
    run?.()
    return run !== undefined
  }
}

class Model {
  readonly streams: ModelStream[] = []
  frames = 0
  readonly #connection: Connection
  readonly #random: Random
  #held = Buffer.alloc(0)
  #initial = 65_535
  /** Changes of the initial window that the server has not acknowledged: until then it may not know of them. */
  readonly #changes: number[] = []
  #toUs = 65_535
  #toServer = 65_535
  #settled = false
  #grants = 0
  #dataFrames = 0

  constructor(connection: Connection, random: Random) {
    this.#connection = connection
    this.#random = random
    connection.handle({
      onData: (bytes) => this.#read(Buffer.from(bytes)),
      onEnd: () => {
        if (!this.done) throw new Error('the server has closed the connection')
      },
      onDrain() {},
      onClose() {},
    })
    connection.write(Buffer.from(PREFACE))
    this.#changes.push(0)
    this.#send(FRAME.settings, 0, 0, Buffer.alloc(0))
  }

  #send(type: number, flags: number, streamId: number, payload: Uint8Array): void {
    this.frames++
    this.#connection.write(frame(type, flags, streamId, payload))
  }

  open(id: number, uploads: number, downloads: number): void {
    this.streams.push({
      id,
      uploads,
      downloads,
      toUs: this.#initial,
      received: 0,
      ended: false,
      toServer: OUR_STREAM_WINDOW,
      sent: 0,
    })
    this.#send(FRAME.headers, FLAG.endHeaders | (uploads === 0 ? FLAG.endStream : 0), id, HEAD(uploads > 0))
  }

  #read(bytes: Buffer): void {
    this.#held = Buffer.concat([this.#held, bytes])
    while (this.#held.length >= 9) {
      const length = this.#held.readUIntBE(0, 3)
      if (this.#held.length < 9 + length) return
      const [type, flags, id] = [this.#held[3]!, this.#held[4]!, this.#held.readUInt32BE(5)]
      this.#frame(type, flags, id, this.#held.subarray(9, 9 + length))
      this.#held = this.#held.subarray(9 + length)
    }
  }

  #frame(type: number, flags: number, id: number, payload: Buffer): void {
    this.frames++
    const stream = this.streams.find((each) => each.id === id)
    if (type === FRAME.data) {
      this.#dataFrames++
      this.#toUs -= payload.length
      stream!.toUs -= payload.length
      // A window that settings made negative must not be used until it is positive again.
      if (payload.length > 0) expect(Math.min(this.#toUs, stream!.toUs)).toBeGreaterThanOrEqual(0)
      expectPart(id, stream!.received, payload)
      stream!.received += payload.length
      if ((flags & FLAG.endStream) !== 0) stream!.ended = true
    } else if (type === FRAME.headers) {
      if ((flags & FLAG.endStream) !== 0) stream!.ended = true
    } else if (type === FRAME.windowUpdate) {
      const increment = payload.readUInt32BE(0)
      if (id === 0) this.#toServer += increment
      else stream!.toServer += increment
      expect(this.#toServer).toBeLessThanOrEqual(OUR_CONNECTION_WINDOW)
      if (stream !== undefined) expect(stream.toServer).toBeLessThanOrEqual(OUR_STREAM_WINDOW)
    } else if (type === FRAME.settings && (flags & FLAG.ack) !== 0) {
      const change = this.#changes.shift() ?? 0
      for (const each of this.streams) each.toUs += change
    } else if (type === FRAME.settings) {
      this.#settled = true
      this.#send(FRAME.settings, FLAG.ack, 0, Buffer.alloc(0))
    } else expect([FRAME.settings, FRAME.ping] as number[]).toContain(type)
  }

  /** One thing that a client may do now. */
  step(): void {
    const dice = this.#random.next()
    const stream = this.streams[Math.floor(this.#random.next() * this.streams.length)]!
    const some = (most: number): number => 1 + Math.floor(this.#random.next() * most)
    // More WINDOW_UPDATE than these would be a flood.
    const mayGrant = this.#grants < 8 + this.#dataFrames
    if (dice < 0.5) this.#upload(stream, some(1500))
    else if (dice < 0.7 && mayGrant) this.#grant(stream, some(2000))
    else if (dice < 0.9 && mayGrant) this.#grant(undefined, some(2000))
    else if (dice < 0.93) this.changeInitial(Math.floor(this.#random.next() * 9000))
    else this.#send(FRAME.ping, FLAG.ack, 0, Buffer.alloc(8))
  }

  #upload(stream: ModelStream, most: number): void {
    const length = Math.min(most, stream.uploads - stream.sent, stream.toServer, this.#toServer)
    if (length <= 0 || !this.#settled) return
    const part = bodyPart(stream.id, stream.sent, length)
    stream.sent += length
    stream.toServer -= length
    this.#toServer -= length
    this.#send(FRAME.data, stream.sent === stream.uploads ? FLAG.endStream : 0, stream.id, part)
  }

  /** Undefined: for the connection. */
  #grant(stream: ModelStream | undefined, increment: number): void {
    if (stream === undefined) this.#toUs += increment
    else if (stream.ended) return
    else stream.toUs += increment
    this.#grants++
    this.#send(FRAME.windowUpdate, 0, stream?.id ?? 0, u32(increment))
  }

  changeInitial(size: number): void {
    this.#changes.push(size - this.#initial)
    this.#initial = size
    this.#send(FRAME.settings, 0, 0, settingsPayload([[SETTING.initialWindowSize, size]]))
  }

  /** Everything that may be sent is, and everything may be sent to us. */
  finish(): void {
    for (const stream of this.streams) {
      this.#upload(stream, 3000)
      if (!stream.ended && stream.toUs < 100_000) this.#grant(stream, 200_000)
    }
    if (this.#toUs < 100_000) this.#grant(undefined, 1_000_000)
  }

  get done(): boolean {
    return this.streams.every(({ ended, sent, uploads }) => ended && sent === uploads)
  }
}

const settle = async (): Promise<void> => {
  for (let i = 0; i < 8; i++) await Promise.resolve()
}

/** Returns how many frames it took. */
async function play(seed: number): Promise<number> {
  const random = createSeededRandom(seed)
  const address = { address: '127.0.0.1', port: 1 }
  const [near, far] = createConnectionPair(address, address)
  const wanted = new Map<number, number>()
  const user = new User(random, wanted)
  const session: ServerSession = serveHttp2(
    far,
    {
      scheme: 'http',
      maxHeadersKb: 60,
      maxHeadersCount: 100,
      acceptHttp10: false,
      enableTrailers: false,
      http2: {
        ...DEFAULT_HTTP2_OPTIONS,
        initialStreamWindowSize: OUR_STREAM_WINDOW,
        initialConnectionWindowSize: OUR_CONNECTION_WINDOW,
        maxInboundWindowUpdateFramesPerDataFrameSent: 1_000_000,
      },
      timers: createTimers({ clock: createFakeClock() }),
      stats: createCodecStats(createMetricsRegistry()),
      timeouts: { idle: 0, headers: 0, delayedClose: 0, drain: 0 },
    },
    {
      onRequest: (exchange) => user.onRequest(exchange),
      onRefused: () => expect.unreachable(),
      onInvalid: () => expect.unreachable(),
      onClose() {},
    },
  )
  const model = new Model(near, random)
  await settle()
  const sizeOf = (): number => (random.next() < 0.3 ? 0 : Math.floor(random.next() * 40_000))
  for (let i = 0; i < 6; i++) {
    const id = 1 + 2 * i
    wanted.set(id, sizeOf())
    model.open(id, sizeOf(), wanted.get(id)!)
  }
  for (let i = 0; i < 250; i++) {
    model.step()
    if (random.next() < 0.4) await settle()
    if (random.next() < 0.3) user.resumeSome()
  }
  for (let i = 0; i < 500 && !model.done; i++) {
    while (user.resumeSome()) await settle()
    model.finish()
    await settle()
  }
  expect(model.done, `schedule ${seed} never ends`).toBe(true)
  for (const { id, uploads, received, downloads } of model.streams)
    expect([user.got.get(id) ?? 0, received], `stream ${id} of schedule ${seed}`).toEqual([uploads, downloads])
  expect(session.active).toBe(0)
  session.destroy()
  return model.frames
}

test('no schedule of frames breaks a window, loses an octet or waits for ever', async () => {
  let frames = 0
  for (let seed = 1; frames < FRAMES; seed++) frames += await play(seed)
}, 120_000)
