import { createMetricsRegistry, systemClock, systemRandom } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { createSystemNetwork } from '../src/net/socket.js'
import { createTimers } from '../src/net/timers.js'
import { createClusterStats } from '../src/observe/stats.js'
import { createClusterManager } from '../src/upstream/cluster-manager.js'
import { createGrpcClient, type GrpcClient, type GrpcClientOptions, type GrpcStatus } from '../src/upstream/grpc-client.js'
import { frameMessage } from '../src/upstream/grpc-messages.js'
import { cluster, endpoint, upstreamHttp } from './harness.js'
import { type Http2Upstream, startHttp2Upstream } from './http2-harness.js'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

type Answer = Parameters<typeof startHttp2Upstream>[0]

async function clientOf(
  answer: Answer,
  options: Partial<GrpcClientOptions> = {},
): Promise<{ client: GrpcClient; server: Http2Upstream }> {
  const server = await startHttp2Upstream(answer)
  open.push(server)
  const registry = createMetricsRegistry()
  const timers = options.timers ?? createTimers({ clock: systemClock })
  const clusters = createClusterManager({
    network: createSystemNetwork({ clock: systemClock }),
    tls: { accept: () => Promise.reject(new Error('no TLS')), connect: () => Promise.reject(new Error('no TLS')) },
    timers,
    clock: systemClock,
    random: systemRandom,
    stats: (name) => createClusterStats(registry, name),
  })
  clusters.set(cluster('g', [endpoint(server.port)], { http: upstreamHttp({ protocol: 'HTTP2' }) }), undefined)
  open.push({ close: async () => clusters.close() })
  return { client: createGrpcClient({ clusters, cluster: 'g', timers, ...options }), server }
}

const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString()
const call = { path: '/pkg.Svc/Method' }

/** Answers every request with what it said, and this status. */
const echo =
  (trailers: Record<string, string>): Answer =>
  (stream) => {
    stream.on('wantTrailers', () => stream.sendTrailers(trailers))
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.pipe(stream)
  }

describe('one message each way', () => {
  test('the answer, and what the server was told', async () => {
    const { client, server } = await clientOf(echo({ 'grpc-status': '0' }))
    const answer = await client.call({ ...call, timeoutMs: 5000, metadata: [['x-own', 'mine']] }, Buffer.from('hello')).done
    expect([answer.code, text(answer.response)]).toEqual([0, 'hello'])
    expect(server.requests[0]).toMatchObject({
      ':method': 'POST',
      ':path': '/pkg.Svc/Method',
      ':authority': 'g',
      te: 'trailers',
      'content-type': 'application/grpc',
      'grpc-timeout': '5000m',
      'x-own': 'mine',
    })
  })

  test.each<[string, Answer, Partial<GrpcStatus>]>([
    ['a status in the trailers', echo({ 'grpc-status': '7', 'grpc-message': 'not %C3%BCber' }), { code: 7, message: 'not über' }],
    [
      'a status in the headers',
      (stream) => stream.respond({ ':status': 200, 'grpc-status': '5', 'grpc-message': 'gone' }, { endStream: true }),
      { code: 5, message: 'gone' },
    ],
    ['an HTTP status', (stream) => stream.respond({ ':status': 503 }, { endStream: true }), { code: 14 }],
    ['a stream that is reset', (stream) => stream.close(8), { code: 1 }],
    ['a stream that is refused', (stream) => stream.close(7), { code: 14 }],
    ['trailers without a status', echo({ 'x-other': '1' }), { code: 2 }],
  ])('%s', async (_, answer, want) => {
    const { client } = await clientOf(answer)
    expect(await client.call(call, Buffer.from('hello')).done).toMatchObject(want)
  })

  test('nobody answers in time', async () => {
    const clock = createFakeClock()
    const { client } = await clientOf(() => {}, { timers: createTimers({ clock }) })
    const { done } = client.call({ ...call, timeoutMs: 100 }, Buffer.from('hello'))
    clock.advance(110)
    expect(await done).toMatchObject({ code: 4, message: 'no answer in 100 ms' })
  })

  test('a cluster that is not there', async () => {
    const { client } = await clientOf(() => {}, { cluster: 'other' })
    expect(await client.call(call, Buffer.from('')).done).toMatchObject({ code: 14, message: 'there is no cluster other' })
  })

  test('a message over the limit is refused by its prefix', async () => {
    const { client } = await clientOf(
      (stream) => {
        stream.respond({ ':status': 200 })
        stream.write(frameMessage(Buffer.alloc(2000)).subarray(0, 10))
      },
      { maxMessageBytes: 1000 },
    )
    expect(await client.call(call, Buffer.from('')).done).toMatchObject({ code: 13 })
  })

  test('a compressed message, which nobody agreed to', async () => {
    const { client } = await clientOf((stream) => {
      stream.respond({ ':status': 200 })
      stream.end(Buffer.from([1, 0, 0, 0, 1, 0]))
    })
    expect(await client.call(call, Buffer.from('')).done).toMatchObject({ code: 13 })
  })
})

test('a stream of messages both ways', async () => {
  const { client } = await clientOf(echo({ 'grpc-status': '0' }))
  const messages: string[] = []
  let answered: () => void = () => {}
  const status = new Promise<GrpcStatus>((resolve) => {
    const stream = client.stream(call, {
      onMessage(message) {
        messages.push(text(message))
        answered()
      },
      onStatus: resolve,
    })
    void (async () => {
      for (let i = 0; i < 20; i++) {
        const next = new Promise<void>((resolve) => {
          answered = resolve
        })
        stream.send(Buffer.from(`message ${i}`))
        await next
      }
      stream.end()
    })()
  })
  expect(await status).toMatchObject({ code: 0 })
  expect(messages).toEqual(Array.from({ length: 20 }, (_, i) => `message ${i}`))
})
