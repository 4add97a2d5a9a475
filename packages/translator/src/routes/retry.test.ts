import { expect, test } from 'vitest'
import { retryPolicy } from './retry.js'

test('the default is written out', () => {
  expect(retryPolicy(undefined, false)).toMatchObject({
    retry_on: 'connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes',
    num_retries: 2,
    host_selection_retry_max_attempts: '5',
    retry_host_predicate: [{ name: 'envoy.retry_host_predicates.previous_hosts' }],
  })
})

test('a consistent hash must find the same host again', () => {
  expect(retryPolicy(undefined, true)).not.toHaveProperty('retry_host_predicate')
  expect(retryPolicy({ attempts: 1, retryIgnorePreviousHosts: false }, false)).not.toHaveProperty('retry_host_predicate')
})

test('0 attempts are none', () => {
  expect(retryPolicy({ attempts: 0 }, false)).toBeUndefined()
})

test('numbers in retryOn are status codes', () => {
  expect(retryPolicy({ attempts: 3, retryOn: '503,5xx, 429', perTryTimeout: 2500, backoff: 10 }, false)).toMatchObject({
    retry_on: '5xx,retriable-status-codes',
    retriable_status_codes: [503, 429],
    num_retries: 3,
    per_try_timeout: '2.5s',
    retry_back_off: { base_interval: '0.01s' },
  })
})
