import { createMetricsRegistry } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import type { ConnectionLimit } from '@heddle/xds-types/envoy/extensions/filters/network/connection_limit/v3'
import type { LocalRateLimit } from '@heddle/xds-types/envoy/extensions/filters/network/local_ratelimit/v3'
import { describe, expect, it } from 'vitest'
import { compileMessage } from '../../config/fields.js'
import { createConnectionPair } from '../../net/memory.js'
import { compileConnectionLimit } from './connection-limit.js'
import type { NetworkGate } from './gate.js'
import { compileNetworkRateLimit } from './local-ratelimit.js'

function keep(compiled: ReturnType<typeof compileMessage<object, NetworkGate>>) {
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.diagnostics))
  const clock = createFakeClock()
  const stats = createMetricsRegistry()
  const keeper = compiled.value.create({ clock, stats })
  const arrive = () => {
    const [, connection] = createConnectionPair({ address: '10.0.0.9', port: 1 }, { address: '10.0.0.1', port: 80 })
    connection.handle({ onData() {}, onEnd() {}, onDrain() {}, onClose() {} })
    const refusal = keeper.refuse(connection)
    return { admitted: refusal === undefined, refusal, connection }
  }
  const values = () =>
    Object.fromEntries(
      [...stats.families()].map(({ name, series }) => [
        name,
        [...series()].map(([, metric]) => 'value' in metric && metric.value),
      ]),
    )
  return { clock, arrive, values }
}

const limit = (json: ConnectionLimit) => compileMessage(json, '', (fields) => compileConnectionLimit(fields, 'limit'))
const rate = (json: LocalRateLimit) => compileMessage(json, '', (fields) => compileNetworkRateLimit(fields, 'rate'))

describe('connection_limit', () => {
  it('lets so many in at a time', async () => {
    const { arrive, clock, values } = keep(limit({ stat_prefix: 'cl', max_connections: 2 }))
    const first = arrive()
    expect([first, arrive(), arrive()].map(({ admitted }) => admitted)).toEqual([true, true, false])
    first.connection.destroy()
    await clock.advanceAsync(0)
    expect([arrive(), arrive()].map(({ admitted }) => admitted)).toEqual([true, false])
    expect(values()).toEqual({
      envoy_connection_limit_active_connections: [2],
      envoy_connection_limit_limited_connections: [2],
    })
  })

  it('closes the others at once, or after its delay', async () => {
    expect(arriveTwice({})).toBe(true)
    const { arrive, clock } = keep(limit({ stat_prefix: 'cl', max_connections: 1, delay: '2s' }))
    arrive()
    const { connection } = arrive()
    await clock.advanceAsync(1_999)
    expect(connection.closed).toBe(false)
    await clock.advanceAsync(1)
    expect(connection.closed).toBe(true)
  })

  it('may be switched off', () => {
    const { arrive } = keep(
      limit({ stat_prefix: 'cl', max_connections: 1, runtime_enabled: { runtime_key: 'k', default_value: false } }),
    )
    expect([arrive(), arrive()].map(({ admitted }) => admitted)).toEqual([true, true])
  })

  it('needs a limit', () => {
    expect(limit({ stat_prefix: 'cl' }).ok).toBe(false)
  })

  function arriveTwice(extra: ConnectionLimit): boolean {
    const { arrive } = keep(limit({ stat_prefix: 'cl', max_connections: 1, ...extra }))
    arrive()
    return arrive().connection.closed
  }
})

describe('network local_ratelimit', () => {
  const bucket = { max_tokens: 2, tokens_per_fill: 1, fill_interval: '1s' }

  it('takes a token for each connection', () => {
    const { arrive, clock, values } = keep(rate({ stat_prefix: 'nrl', token_bucket: bucket }))
    expect([arrive(), arrive(), arrive()].map(({ admitted, connection }) => [admitted, connection.closed])).toEqual([
      [true, false],
      [true, false],
      [false, true],
    ])
    clock.advance(1_000)
    expect([arrive(), arrive()].map(({ admitted }) => admitted)).toEqual([true, false])
    expect(values()).toEqual({ envoy_local_rate_limit_rate_limited: [2] })
  })

  it.each([{}, { ...bucket, max_tokens: 0 }, { ...bucket, fill_interval: '0.01s' }])('refuses the bucket %j', (token_bucket) => {
    expect(rate({ stat_prefix: 'nrl', token_bucket }).ok).toBe(false)
  })

  it('refuses a bucket that it would share with others', () => {
    expect(rate({ stat_prefix: 'nrl', token_bucket: bucket, share_key: 'k' }).ok).toBe(false)
  })
})
