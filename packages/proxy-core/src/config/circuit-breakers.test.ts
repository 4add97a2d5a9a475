import { expect, test } from 'vitest'
import { createRuntime } from '../runtime.js'
import { compileCircuitBreakers } from './circuit-breakers.js'
import { compileMessage } from './fields.js'

test('the runtime overrules each limit of a priority, as it is at the moment', () => {
  const runtime = createRuntime([{ name: 'admin', admin: true }])
  const json = { thresholds: [{ max_requests: 7, retry_budget: {} }] }
  const compiled = compileMessage(json, '', (fields) => compileCircuitBreakers(fields as never, 'app', runtime))
  if (!compiled.ok) throw new Error('no limits')
  const { normal, high } = compiled.value
  const defaults = { maxConnections: 1024, maxPendingRequests: 1024, maxRequests: 1024, maxRetries: 3 }
  const retryBudget = { percent: 20, minConcurrency: 3 }
  expect([{ ...normal }, { ...high }]).toEqual([{ ...defaults, maxRequests: 7, retryBudget }, defaults])
  const key = 'circuit_breakers.app'
  const values = [`${key}.default.max_requests`, `${key}.high.max_connections`, `${key}.high.max_pending_requests`]
  runtime.modify(new Map([...values, `${key}.high.max_retries`].map((each, i) => [each, String(i)])))
  expect([{ ...normal }, { ...high }]).toEqual([
    { ...defaults, maxRequests: 0, retryBudget },
    { ...defaults, maxConnections: 1, maxPendingRequests: 2, maxRetries: 3 },
  ])
  runtime.modify(new Map([[`${key}.default.max_requests`, '']]))
  expect(normal.maxRequests).toBe(7)
})
