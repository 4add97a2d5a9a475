import { describe, expect, test } from 'vitest'
import { createHeaderMap } from '../http/header-map.js'
import type { ForwardAction, RetryPolicy } from '../route/table.js'
import { retryDelay, takeRetryPolicy, wantsRetryOfFailure, wantsRetryOfResponse } from './retry.js'
import { parseGrpcTimeout, takeTimeouts } from './timeouts.js'

const policy = (...on: readonly string[]): RetryPolicy => ({
  on: new Set(on),
  statusCodes: new Set([418]),
  numRetries: 1,
  perTryTimeoutMs: 0,
  backoffBaseMs: 25,
  backoffMaxMs: 250,
  avoidPreviousHosts: false,
  hostSelectionAttempts: 1,
})

describe('retry_on', () => {
  test.each([
    ['5xx', 500, true],
    ['5xx', 599, true],
    ['5xx', 404, false],
    ['gateway-error', 500, false],
    ['gateway-error', 502, true],
    ['gateway-error', 504, true],
    ['gateway-error', 505, false],
    ['retriable-4xx', 409, true],
    ['retriable-4xx', 404, false],
    ['retriable-status-codes', 418, true],
    ['retriable-status-codes', 503, false],
    ['no-such-token', 503, false],
  ])('%s and %i: %s', (token, status, expected) => {
    expect(wantsRetryOfResponse(policy(token), status, createHeaderMap())).toBe(expected)
  })

  test.each([
    ['unavailable', '14', true],
    ['cancelled', '1', true],
    ['cancelled', '14', false],
    ['deadline-exceeded', '4', true],
    ['resource-exhausted', '8', true],
    ['internal', '13', true],
    ['unavailable', '0', false],
  ])('%s and grpc-status %s: %s', (token, grpcStatus, expected) => {
    expect(wantsRetryOfResponse(policy(token), 200, createHeaderMap([['grpc-status', grpcStatus]]))).toBe(expected)
  })

  test('x-envoy-ratelimited stops a 5xx retry', () => {
    expect(wantsRetryOfResponse(policy('5xx'), 503, createHeaderMap([['x-envoy-ratelimited', 'true']]))).toBe(false)
  })

  test.each([
    ['connect-failure', 'connect_failure', false, true],
    ['connect-failure', 'connect_timeout', false, true],
    ['connect-failure', 'connection_termination', true, false],
    ['reset', 'connection_termination', true, true],
    ['5xx', 'per_try_timeout', true, true],
    ['gateway-error', 'protocol_error', true, true],
    ['reset-before-request', 'connect_failure', false, true],
    ['reset-before-request', 'connection_termination', true, false],
    ['refused-stream', 'remote_refused', true, true],
    ['5xx', 'overflow', false, false],
    ['retriable-4xx', 'connect_failure', false, false],
  ] as const)('%s and %s (sent: %s): %s', (token, reason, sent, expected) => {
    expect(wantsRetryOfFailure(policy(token), reason, sent)).toBe(expected)
  })
})

test('the window of the back-off doubles up to its maximum', () => {
  expect([1, 2, 3, 4, 9].map((retry) => retryDelay(policy(), retry, 0.999_999))).toEqual([24, 74, 174, 249, 249])
  expect(retryDelay(policy(), 3, 0)).toBe(0)
})

test('grpc-timeout has eight digits at most and a unit', () => {
  expect(['1S', '250m', '10u', '1H', '100000000m', '1x', '', undefined].map(parseGrpcTimeout)).toEqual([
    1000,
    250,
    1,
    3_600_000,
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})

test('of gRPC calls alone the timeout is theirs, the longest where they say nothing sensible', () => {
  const action = { timeoutMs: 15_000, grpcTimeout: { maxMs: 100, offsetMs: 10 } } as ForwardAction
  const taken = (timeout: string, type = 'application/grpc'): unknown => {
    const headers = createHeaderMap([
      ['grpc-timeout', timeout],
      ['content-type', type],
    ])
    return [takeTimeouts(action, headers, false, false).globalMs, headers.get('grpc-timeout')]
  }
  expect(taken('50m')).toEqual([40, '40m'])
  expect(taken('5m')).toEqual([5, '5m'])
  expect(taken('1S')).toEqual([100, '100m'])
  expect(taken('0m')).toEqual([100, '100m'])
  expect(taken('1.5S')).toEqual([100, '100m'])
  expect(taken('50m', 'text/plain')).toEqual([15_000, '50m'])
})

test('an internal client may ask for 204 in place of a timeout', () => {
  const headers = createHeaderMap([['x-envoy-upstream-rq-timeout-alt-response', '1']])
  expect(takeTimeouts({ timeoutMs: 1 } as ForwardAction, headers, false, false).altResponse).toBe(false)
  expect(takeTimeouts({ timeoutMs: 1 } as ForwardAction, headers, true, false).altResponse).toBe(true)
  expect(headers.size).toBe(0)
})

describe('x-envoy-retry-on of internal clients', () => {
  test('adds to the route and is taken off', () => {
    const headers = createHeaderMap([
      ['x-envoy-retry-on', 'reset, retriable-status-codes'],
      ['x-envoy-retriable-status-codes', '429,x'],
      ['x-envoy-max-retries', '5'],
      ['x-own', '1'],
    ])
    const taken = takeRetryPolicy(policy('5xx'), headers)
    expect([...taken!.on]).toEqual(['5xx', 'reset', 'retriable-status-codes'])
    expect([...taken!.statusCodes]).toEqual([418, 429])
    expect(taken?.numRetries).toBe(5)
    expect([...headers]).toEqual([['x-own', '1']])
  })

  test('makes a policy where there is none; without tokens there is none', () => {
    expect(takeRetryPolicy(undefined, createHeaderMap([['x-envoy-retry-on', '5xx']]))).toMatchObject({ numRetries: 1 })
    expect(takeRetryPolicy(undefined, createHeaderMap([['x-envoy-max-retries', '5']]))).toBeUndefined()
    expect(takeRetryPolicy(undefined, createHeaderMap())).toBeUndefined()
  })
})
