import { createFakeClock } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import { faultFilter } from './fault.js'
import { configured, deps, run, stream } from './testing.js'

describe('fault', () => {
  const always = { numerator: 100 }
  it('aborts with the flag FI', () => {
    expect(run(configured(faultFilter, { abort: { http_status: 418, percentage: always } }), stream())).toEqual({
      status: 418,
      body: 'fault filter abort',
      details: 'fault_filter_abort',
      flag: 'FI',
    })
  })

  it('delays first, by the clock', async () => {
    const clock = createFakeClock()
    const asked = stream()
    const waiting = run(
      configured(
        faultFilter,
        { delay: { fixed_delay: '3s', percentage: always }, abort: { http_status: 503, percentage: always } },
        deps({ clock }),
      ),
      asked,
    )
    let reply: unknown
    void Promise.resolve(waiting).then((value) => (reply = value))
    clock.advance(2999)
    await Promise.resolve()
    expect(reply).toBeUndefined()
    clock.advance(1)
    expect(await waiting).toMatchObject({ status: 503 })
    expect(asked.info.flags.has('DI')).toBe(true)
  })

  it('by header: never more than is configured', () => {
    const create = configured(faultFilter, { abort: { header_abort: {}, percentage: { numerator: 50 } } })
    let aborted = 0
    for (let i = 0; i < 1000; i++)
      if (
        run(
          create,
          stream({ headers: { 'x-envoy-fault-abort-request': '500', 'x-envoy-fault-abort-request-percentage': '100' } }),
        )
      )
        aborted++
    expect(Math.abs(aborted - 500)).toBeLessThan(60)
    expect(run(create, stream())).toBeUndefined()
  })

  it('concerns only requests whose headers match', () => {
    const create = configured(faultFilter, {
      headers: [{ name: 'x-f', present_match: true }],
      abort: { http_status: 500, percentage: always },
    })
    expect(run(create, stream())).toBeUndefined()
    expect(run(create, stream({ headers: { 'x-f': '1' } }))).toMatchObject({ status: 500 })
  })
})
