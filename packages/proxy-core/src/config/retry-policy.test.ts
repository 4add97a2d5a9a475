import type { RetryPolicy as RetryPolicyProto } from '@heddle/xds-types/envoy/config/route/v3'
import { describe, expect, it } from 'vitest'
import { createHeaderMap } from '../http/header-map.js'
import type { RetryPolicy } from '../route/table.js'
import type { Endpoint } from '../upstream/endpoint.js'
import { compileMessage } from './fields.js'
import { compileRetryPolicy } from './retry-policy.js'

function compiled(json: object): RetryPolicy {
  const result = compileMessage(json as RetryPolicyProto, '', compileRetryPolicy)
  if (!result.ok || result.value === undefined)
    throw new Error(result.diagnostics.map(({ path, message }) => `${path} ${message}`).join())
  return result.value
}
const RETRY = 'type.googleapis.com/envoy.extensions.retry'
const host = (labels: object): Endpoint => ({ metadata: { 'envoy.lb': labels } }) as never

describe('where a retry goes', () => {
  it('knows the three host predicates, by type and by name', () => {
    expect(compiled({ retry_host_predicate: [{ name: 'envoy.retry_host_predicates.previous_hosts' }] }).avoidPreviousHosts).toBe(
      true,
    )
    const canary = compiled({ retry_host_predicate: [{ name: 'envoy.retry_host_predicates.omit_canary_hosts' }] })
    expect([canary.rejectsHost?.(host({ canary: true })), canary.rejectsHost?.(host({}))]).toEqual([true, false])
    const metadata_match = { filter_metadata: { 'envoy.lb': { stage: 'dev' } } }
    const typed_config = { '@type': `${RETRY}.host.omit_host_metadata.v3.OmitHostMetadataConfig`, metadata_match }
    const omitting = compiled({ retry_host_predicate: [{ name: 'x', typed_config }] })
    expect([omitting.rejectsHost?.(host({ stage: 'dev' })), omitting.rejectsHost?.(host({ stage: 'prod' }))]).toEqual([
      true,
      false,
    ])
    expect(() => compiled({ retry_host_predicate: [{ name: 'x' }] })).toThrow('x is not supported')
  })

  it('previous_priorities counts attempts', () => {
    const typed_config = { '@type': `${RETRY}.priority.previous_priorities.v3.PreviousPrioritiesConfig`, update_frequency: 2 }
    expect(compiled({ retry_priority: { name: 'x', typed_config } }).avoidPriorities).toBe(2)
    expect(() => compiled({ retry_priority: { name: 'x' } })).toThrow('retry_priority')
  })
})

describe('a back-off that the answer names', () => {
  const reset_headers = [
    { name: 'Retry-After', format: 'SECONDS' },
    { name: 'x-reset', format: 'UNIX_TIMESTAMP' },
  ]
  const delay = (headers: Readonly<Record<string, string>>): number | undefined =>
    compiled({ rate_limited_retry_back_off: { reset_headers, max_interval: '10s' } }).rateLimitedDelayMs?.(
      createHeaderMap(Object.entries(headers)),
      1_000_000,
    )

  it.each([
    [{ 'retry-after': '5' }, 5_000],
    [{ 'retry-after': '11' }, undefined],
    [{ 'retry-after': '0' }, undefined],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'x-reset': '1003' }, 3_000],
    [{ 'x-reset': '999' }, undefined],
    [{ 'retry-after': '11', 'x-reset': '1003' }, 3_000],
    [{}, undefined],
  ])('%j waits %s ms', (headers, ms) => {
    expect(delay(headers)).toBe(ms)
  })
})

describe('retriable_headers', () => {
  it.each([
    [{ name: ':status', string_match: { exact: '409' } }, 409, true],
    [{ name: ':status', string_match: { exact: '409' } }, 408, false],
    [{ name: 'x-a', present_match: true }, 200, true],
    [{ name: 'x-b', present_match: true }, 200, false],
  ])('%j of a response with %i: %s', (matcher, status, want) => {
    const { retriableHeaders } = compiled({ retriable_headers: [matcher] })
    expect(retriableHeaders?.(createHeaderMap([['x-a', '1']]), status)).toBe(want)
  })
})
