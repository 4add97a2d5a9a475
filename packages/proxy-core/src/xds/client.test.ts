import { ok, silentLogger } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import { createXdsClient } from './client.js'
import { createDeltaClient } from './delta-client.js'
import type { ReceivedUpdate, Rejection } from './protocol.js'
import type { StreamEvents } from './transport.js'

const CDS = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'

interface OpenStream {
  readonly target: string
  open: boolean
  readonly sent: { first: boolean; request: Record<string, unknown> }[]
  readonly events: StreamEvents
}

type Apply = (update: ReceivedUpdate) => readonly Rejection[] | Promise<readonly Rejection[]>

/** Transports whose streams the test holds; messages are JSON. */
function setUp(apply: Apply = () => [], targets: readonly string[] = ['test']) {
  const clock = createFakeClock()
  const streams: OpenStream[] = []
  const encoder = new TextEncoder()
  const decoder = new TextDecoder()
  const client = createXdsClient({
    protocol: createDeltaClient((_, value) => ok(JSON.parse(decoder.decode(value)) as object)),
    codec: {
      encode: (request, first) => encoder.encode(JSON.stringify({ request, first })),
      decode: (bytes) => ok(JSON.parse(decoder.decode(bytes))),
    },
    probe: { type_url: 'probe' },
    transports: targets.map((target) => ({
      target,
      open(_, events) {
        const stream: OpenStream = { target, open: true, sent: [], events }
        streams.push(stream)
        const close = (): void => {
          stream.open = false
          events.onClose('closed')
        }
        return { send: (bytes) => stream.sent.push(JSON.parse(decoder.decode(bytes))), close }
      },
      close() {},
    })),
    apply,
    clock,
    // The longest delay that the back-off may choose.
    random: { next: () => 0.999999 },
    logger: silentLogger,
  })
  const respond = async (stream: OpenStream | undefined, nonce: string, more: object = {}): Promise<void> => {
    const body = { typeUrl: CDS, systemVersion: nonce, nonce, resources: [], removed: [], controlPlane: 'cp-1', ...more }
    stream?.events.onMessage(encoder.encode(JSON.stringify(body)))
    await clock.advanceAsync(0)
  }
  return { client, clock, streams, respond }
}

describe('the stream', () => {
  it('names the node with its first request only, and acknowledges (lines 92, 95)', async () => {
    const { client, streams, respond } = setUp()
    client.subscribeAll(CDS)
    client.start()
    await respond(streams[0], 'n1')
    expect(streams[0]?.sent).toEqual([
      { first: true, request: { type_url: CDS } },
      { first: false, request: { type_url: CDS, response_nonce: 'n1' } },
    ])
    expect(client.status).toMatchObject({ connected: true, controlPlane: 'cp-1', updates: 1, rejected: 0 })
  })

  it('backs off when it fails before a first response: 0.5 s, 1 s, 2 s … at most 30 s (line 95)', async () => {
    const { client, clock, streams } = setUp()
    client.start()
    const delays: number[] = []
    for (let i = 0; i < 8; i++) {
      streams.at(-1)?.events.onClose('14 UNAVAILABLE')
      const before = clock.monotonic()
      while (streams.length === i + 1) clock.advance(1)
      delays.push(clock.monotonic() - before)
    }
    expect(delays.map((ms) => Math.round(ms / 100) / 10)).toEqual([0.5, 1, 2, 4, 8, 16, 30, 30])
  })

  it('comes back at once when it had brought something, and starts small again (line 95)', async () => {
    const { client, clock, streams, respond } = setUp()
    client.subscribeAll(CDS)
    client.start()
    for (let i = 0; i < 5; i++) {
      streams.at(-1)?.events.onClose('14 UNAVAILABLE')
      clock.advance(30_000)
    }
    await respond(streams.at(-1), 'n1')
    const count = streams.length
    streams.at(-1)?.events.onClose('server restarts')
    clock.advance(0)
    expect(streams).toHaveLength(count + 1)
    expect(streams.at(-1)?.sent[0]).toMatchObject({ first: true })
    streams.at(-1)?.events.onClose('14 UNAVAILABLE')
    clock.advance(500)
    expect(streams).toHaveLength(count + 2)
  })

  it('refuses what cannot be applied (line 92)', async () => {
    const { client, streams, respond } = setUp(() => [{ name: 'web', message: 'lb_policy: MAGIC is no policy' }])
    client.subscribeAll(CDS)
    client.start()
    await respond(streams[0], 'n1')
    expect(streams[0]?.sent[1]?.request).toMatchObject({
      response_nonce: 'n1',
      error_detail: { code: 3, message: 'web: lb_policy: MAGIC is no policy' },
    })
    expect(client.status.rejected).toBe(1)
  })

  it('applies updates one after another, and answers no stream that is gone', async () => {
    const order: string[] = []
    let finish = (): void => {}
    const { client, clock, streams, respond } = setUp(async (update) => {
      order.push(`begin ${update.nonce}`)
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      order.push(`end ${update.nonce}`)
      return []
    })
    client.subscribeAll(CDS)
    client.start()
    await respond(streams[0], 'n1')
    await respond(streams[0], 'n2')
    expect(order).toEqual(['begin n1'])
    finish()
    await clock.advanceAsync(0)
    expect(order).toEqual(['begin n1', 'end n1', 'begin n2'])
    streams[0]?.events.onClose('gone')
    finish()
    await clock.advanceAsync(0)
    expect(order.at(-1)).toBe('end n2')
    expect(streams[0]?.sent.map(({ request }) => request['response_nonce'])).toEqual([undefined, 'n1'])
    expect(streams[1]?.sent.map(({ request }) => request['response_nonce'])).toEqual([undefined])
  })

  it('stays away once it is closed', () => {
    const { client, clock, streams } = setUp()
    client.start()
    client.close()
    clock.advance(60_000)
    expect(streams).toHaveLength(1)
  })
})

describe('several servers (line 96, gRFC A71)', () => {
  const setUpTwo = () => {
    const up = setUp(undefined, ['first', 'second'])
    up.client.subscribeAll(CDS)
    up.client.start()
    const at = (target: string): OpenStream | undefined => up.streams.findLast((stream) => stream.target === target)
    return { ...up, at }
  }
  const refuse = (stream: OpenStream | undefined): void => stream?.events.onClose('14 UNAVAILABLE')

  it('the second is asked when the first cannot be reached and something is missing', async () => {
    const { client, clock, streams, respond, at } = setUpTwo()
    refuse(streams[0])
    clock.advance(0)
    expect(streams.map(({ target }) => target)).toEqual(['first', 'second'])
    await respond(at('second'), 'n1')
    expect(at('second')?.sent.map(({ request }) => request['response_nonce'])).toEqual([undefined, 'n1'])
    expect(client.status).toMatchObject({ connected: true, updates: 1 })
  })

  it('whoever has everything waits for the first, and asks on once a name is wanted that is not there', async () => {
    const { client, clock, streams, respond } = setUpTwo()
    await respond(streams[0], 'n1')
    refuse(streams[0])
    for (let i = 0; i < 4; i++) {
      clock.advance(30_000)
      refuse(streams.at(-1))
    }
    expect(new Set(streams.map(({ target }) => target))).toEqual(new Set(['first']))
    client.subscribe('eds', ['late'], [])
    clock.advance(30_000)
    refuse(streams.at(-1))
    clock.advance(0)
    expect(streams.at(-1)).toMatchObject({ target: 'second', sent: [{ first: true }, { request: { type_url: 'eds' } }] })
  })

  it('a name that stands for nothing is not missing', async () => {
    const { client, clock, streams, respond } = setUpTwo()
    client.subscribe('eds', ['none'], [])
    await respond(streams[0], 'n1')
    await respond(streams[0], 'n2', { typeUrl: 'eds', removed: ['none'] })
    refuse(streams[0])
    clock.advance(30_000)
    refuse(streams[1])
    clock.advance(30_000)
    expect(streams.map(({ target }) => target)).toEqual(['first', 'first', 'first'])
  })

  it('the first answer of the first leads back to it, and the stream of the second ends', async () => {
    const { clock, streams, respond, at } = setUpTwo()
    refuse(streams[0])
    clock.advance(0)
    await respond(at('second'), 'n1')
    clock.advance(500)
    const probe = at('first')
    expect(probe?.sent).toEqual([{ first: true, request: { type_url: 'probe' } }])
    refuse(probe)
    clock.advance(1_000)
    expect(at('second')?.open).toBe(true)
    await respond(at('first'), 'p1')
    expect(at('second')?.open).toBe(false)
    expect(at('first')?.sent[0]).toEqual({ first: true, request: { type_url: CDS } })
    await respond(at('first'), 'n2')
    expect(at('first')?.sent[1]?.request).toMatchObject({ response_nonce: 'n2' })
    const count = streams.length
    clock.advance(60_000)
    expect(streams).toHaveLength(count)
  })

  it('the last is asked again and again, and nobody once the client is closed', () => {
    const { client, clock, streams, at } = setUpTwo()
    refuse(streams[0])
    clock.advance(0)
    refuse(at('second'))
    clock.advance(500)
    expect(streams.filter(({ target }) => target === 'second')).toHaveLength(2)
    client.close()
    const count = streams.length
    clock.advance(600_000)
    expect(streams).toHaveLength(count)
    expect(clock.pending).toBe(0)
  })
})
