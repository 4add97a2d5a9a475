import { createMetricsRegistry, renderPrometheus } from '@heddle/runtime'
import { expect, test } from 'vitest'
import { CDS, testServer } from './fake-client.test-suite.js'

test('pilot_proxy_convergence_time: from the first change that a client has not answered to its last answer', () => {
  const metrics = createMetricsRegistry()
  const { clock, give, open } = testServer({ metrics })
  give({ [CDS]: [{ name: 'a' }] })
  const stream = open('delta')
  stream.ask(CDS, [])
  clock.advance(500)
  stream.ack(CDS)
  // The first is of the moment when it has asked for nothing yet.
  const told = (): string[] => renderPrometheus(metrics).match(/^pilot_proxy_convergence_time_(sum|count) .*$/gm) ?? []
  expect(told()).toEqual(['pilot_proxy_convergence_time_sum 0.5', 'pilot_proxy_convergence_time_count 2'])
  clock.advance(60_000)
  give({ [CDS]: [{ name: 'b' }] })
  clock.advance(125)
  give({ [CDS]: [{ name: 'c' }] })
  clock.advance(125)
  stream.ack(CDS)
  stream.ack(CDS)
  expect(told()).toEqual(['pilot_proxy_convergence_time_sum 0.75', 'pilot_proxy_convergence_time_count 3'])
})
