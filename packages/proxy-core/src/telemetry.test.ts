import { createMetricsRegistry, silentLogger } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import { expect, it } from 'vitest'
import { parseBootstrap } from './bootstrap.js'
import type { StatChange } from './observe/stats-sink.js'
import { startStatsSinks, tracingProviderOf } from './telemetry.js'

const typed = (type: string, value: object = {}): object => ({ '@type': `type.googleapis.com/envoy.config.${type}`, ...value })

function bootstrapOf(input: object) {
  const parsed = parseBootstrap(input)
  if (!parsed.ok) throw new Error(parsed.diagnostics[0]?.message)
  return parsed.value
}

const start = (bootstrap: object, own?: Parameters<typeof startStatsSinks>[0]['own']) => {
  const clock = createFakeClock()
  const stats = createMetricsRegistry()
  return {
    clock,
    stats,
    flusher: startStatsSinks({ bootstrap: bootstrapOf(bootstrap), own, clock, stats, logger: silentLogger }),
  }
}

it('a sink of a user’s own hears what changes, as often as the bootstrap says', () => {
  const heard: StatChange[] = []
  const { clock, stats, flusher } = start({ stats_flush_interval: '0.500s' }, [{ flush: (changes) => heard.push(...changes) }])
  stats.counter('mine_total', 'Mine.').labels().inc(2)
  clock.advance(499)
  expect(heard).toEqual([])
  clock.advance(1)
  expect(heard).toMatchObject([{ name: 'mine_total', kind: 'counter', value: 2 }])
  flusher.close()
})

it.each([
  ['metrics.v3.DogStatsdSink', { address: { pipe: { path: '/s' } } }, /stats_sinks\[0\]\.typed_config/],
  ['metrics.v3.StatsdSink', { tcp_cluster_name: 'statsd' }, /tcp_cluster_name/],
  ['metrics.v3.StatsdSink', { address: { pipe: { path: '/s' } } }, /address/],
])('a sink %s %j is refused by name', (type, value, reason) => {
  expect(() => start({ stats_sinks: [{ typed_config: typed(type, value) }] })).toThrow(reason)
})

it('a provider of tracing that is not there is refused by name, too', () => {
  const bootstrap = bootstrapOf({
    tracing: {
      http: { name: 'd', typed_config: typed('trace.v3.DatadogConfig', { collector_cluster: 'c', service_name: 's' }) },
    },
  })
  expect(() => tracingProviderOf(bootstrap)).toThrow(/DatadogConfig/)
  expect(tracingProviderOf(bootstrapOf({}))).toEqual({})
})
