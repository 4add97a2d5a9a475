import { ok, silentLogger } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import { createXdsClient } from './client.js'
import { createDeltaClient } from './delta-client.js'
import type { ReceivedUpdate, Rejection } from './protocol.js'
import type { StreamEvents } from './transport.js'

const CDS = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'

interface OpenStream {
  readonly sent: { first: boolean; request: Record<string, unknown> }[]
  readonly events: StreamEvents
}

/** A transport whose streams the test holds; messages are JSON. */
function setUp(apply: (update: ReceivedUpdate) => readonly Rejection[] | Promise<readonly Rejection[]> = () => []) {
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
    transport: {
      target: 'test',
      open(_, events) {
        const stream: OpenStream = { sent: [], events }
        streams.push(stream)
        return { send: (bytes) => stream.sent.push(JSON.parse(decoder.decode(bytes))), close: () => events.onClose('closed') }
      },
      close() {},
    },
    apply,
    clock,
    // The longest delay that the back-off may choose.
    random: { next: () => 0.999999 },
    logger: silentLogger,
  })
  const respond = async (stream: OpenStream | undefined, nonce: string): Promise<void> => {
    const body = { typeUrl: CDS, systemVersion: nonce, nonce, resources: [], removed: [], controlPlane: 'cp-1' }
    stream?.events.onMessage(encoder.encode(JSON.stringify(body)))
    await clock.advanceAsync(0)
  }
  return { client, clock, streams, respond }
}

describe('the stream', () => {
  it('names the node with its first request only, and acknowledges', async () => {
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

  it('backs off when it fails before a first response: 0.5 s, 1 s, 2 s … at most 30 s', async () => {
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

  it('comes back at once when it had brought something, and starts small again', async () => {
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

  it('refuses what cannot be applied', async () => {
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
