import { createFakeClock } from '@heddle/runtime/testing'
import { describe, expect, it, test } from 'vitest'
import { bodyOf, emptyBody } from '../http/body.js'
import { createTimers } from '../net/timers.js'
import { memoryCluster, startMemoryProxy } from '../testing-proxy.js'
import { maxDurationReply, TryTimers } from './try-timers.js'

const [WHOLE, IDLE, LONGEST] = [
  'upstream_per_try_timeout',
  'upstream_per_try_idle_timeout',
  'upstream_max_stream_duration_reached',
]

describe('the limits of an attempt', () => {
  // Milliseconds after which something happens; per try 300 and idle 100, or neither.
  it.each<[string, number, number, readonly (readonly [number, 'answered' | 'heard' | 'stop'])[], string[]]>([
    ['nothing comes', 300, 100, [], [`100 ${IDLE}`, `300 ${WHOLE}`]],
    ['an answer begins', 300, 100, [[50, 'answered']], [`150 ${IDLE}`]],
    [
      'pieces come',
      300,
      100,
      [
        [50, 'answered'],
        [50, 'heard'],
        [80, 'heard'],
      ],
      [`280 ${IDLE}`],
    ],
    [
      'it has ended',
      300,
      100,
      [
        [50, 'answered'],
        [10, 'stop'],
        [0, 'heard'],
      ],
      [],
    ],
    [
      'there are no limits',
      0,
      0,
      [
        [50, 'answered'],
        [50, 'heard'],
      ],
      [],
    ],
  ])('%s', (_, perTryMs, idleMs, events, want) => {
    const clock = createFakeClock()
    const start = clock.monotonic()
    const reached: string[] = []
    const limits = new TryTimers(createTimers({ clock }), (limit) => reached.push(`${clock.monotonic() - start} ${limit}`))
    limits.start(perTryMs, idleMs)
    const body = bodyOf('a')
    expect(limits.watched(body) === body).toBe(idleMs === 0)
    expect(limits.watched(emptyBody)).toBe(emptyBody)
    for (const [after, event] of events) {
      clock.advance(after)
      limits[event]()
    }
    clock.advance(1000)
    expect(reached).toEqual(want)
  })

  test('max_stream_duration counts from the connection, whatever comes', () => {
    const clock = createFakeClock()
    const reached: string[] = []
    const limits = new TryTimers(createTimers({ clock }), (limit) => reached.push(limit))
    limits.connected(200)
    clock.advance(150)
    limits.answered()
    limits.heard()
    expect(reached).toEqual([])
    clock.advance(100)
    expect(reached).toEqual([LONGEST])
  })
})

test('who has not sent all of its request is told that it was slow', () => {
  expect([maxDurationReply(true).status, maxDurationReply(false).status]).toEqual([504, 408])
})

describe('max_stream_duration of a cluster', () => {
  const HTTP = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions'
  const limited = {
    typed_extension_protocol_options: {
      [HTTP]: {
        '@type': `type.googleapis.com/${HTTP}`,
        explicit_http_config: { http_protocol_options: {} },
        common_http_protocol_options: { max_stream_duration: '0.1s' },
      },
    },
  }
  it.each([
    ['without retries', {}, 504, 1],
    ['with retries', { retry_policy: { retry_on: '5xx', num_retries: 1 } }, 200, 2],
  ])('%s', async (_, more, status, attempts) => {
    const routes = [{ match: { prefix: '/' }, route: { cluster: 'app', ...more } }]
    const proxy = await startMemoryProxy({ routes }, [memoryCluster('app', [1], limited)], {
      1: ({ count }) => (count === 1 ? new Promise(() => {}) : 200),
    })
    const answer = proxy.get()
    await proxy.clock.advanceAsync(500)
    expect([await answer, proxy.counts.get(1)]).toEqual([status, attempts])
    expect(proxy.stat('envoy_cluster_upstream_rq_max_duration_reached')).toBe(1)
    await proxy.proxy.close()
  })
})
