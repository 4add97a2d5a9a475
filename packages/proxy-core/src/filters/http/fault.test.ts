import { createMetricsRegistry, type MetricsRegistry } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import { dottedName } from '../../observe/stat-name.js'
import { faultFilter } from './fault.js'
import { configured, deps, run, stream } from './testing.js'

function counted(stats: MetricsRegistry): Record<string, number> {
  const seen: Record<string, number> = {}
  for (const { name, labelNames, series } of stats.families())
    for (const [values, metric] of series()) if ('value' in metric) seen[dottedName(name, labelNames, values)] = metric.value
  return seen
}

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

  it('concerns only the nodes that it names', () => {
    const config = { abort: { http_status: 503, percentage: always }, downstream_nodes: ['n1'] }
    const outcome = (headers: Record<string, string>) => run(configured(faultFilter, config), stream({ headers }))
    expect(outcome({ 'x-envoy-downstream-service-node': 'n1' })).toMatchObject({ status: 503 })
    expect(outcome({ 'x-envoy-downstream-service-node': 'n2' })).toBeUndefined()
    expect(outcome({})).toBeUndefined()
  })

  it('lets requests off while max_active_faults are at work', () => {
    const create = configured(faultFilter, { abort: { http_status: 503, percentage: always }, max_active_faults: 1 })
    const [first, second] = [stream(), stream()]
    const filter = create(first)
    expect(filter.onRequest!(first.request, first)).toMatchObject({ status: 503 })
    expect(create(second).onRequest!(second.request, second)).toBeUndefined()
    filter.onComplete!(first.info)
    expect(create(second).onRequest!(second.request, second)).toMatchObject({ status: 503 })
  })

  it('counts each fault that is too much', () => {
    const stats = createMetricsRegistry()
    const fault = {
      ...{ abort: { http_status: 503, percentage: always }, delay: { fixed_delay: '1s', percentage: always } },
      ...{ response_rate_limit: { fixed_limit: { limit_kbps: 1 }, percentage: always }, max_active_faults: 0 },
    }
    expect(run(configured(faultFilter, fault, deps({ stats, statPrefix: 'in' })), stream())).toBeUndefined()
    expect(counted(stats)).toEqual({ 'http.in.fault.faults_overflow': 3, 'http.in.fault.active_faults': 0 })
  })

  const both = { abort: { http_status: 503, percentage: always }, delay: { fixed_delay: '1s', percentage: always } }
  const plain = { 'http.in.fault.active_faults': 1, 'http.in.fault.aborts_injected': 1, 'http.in.fault.delays_injected': 1 }
  const ofCluster = { 'http.in.fault.cli.aborts_injected': 1, 'http.in.fault.cli.delays_injected': 1 }
  const limit = { response_rate_limit: { fixed_limit: { limit_kbps: 1 }, percentage: always } }
  it.each<[object, Record<string, string>, Record<string, number>, object | undefined]>([
    [both, {}, plain, {}],
    [both, { 'x-envoy-downstream-service-cluster': 'cli' }, { ...plain, ...ofCluster }, {}],
    [{ ...both, disable_downstream_cluster_stats: true }, { 'x-envoy-downstream-service-cluster': 'cli' }, plain, {}],
    [{ ...both, filter_metadata: { a: { b: [1] } } }, {}, plain, { a: { b: [1] } }],
    [{ ...limit, filter_metadata: { a: 'b' } }, {}, { 'http.in.fault.active_faults': 1 }, undefined],
  ])('%j with %j: counts and metadata', (fault, headers, counts, metadata) => {
    const stats = createMetricsRegistry()
    const asked = stream({ headers })
    void run(configured(faultFilter, fault, deps({ stats, statPrefix: 'in' })), asked)
    expect(counted(stats)).toEqual(counts)
    expect(asked.info.metadata.get('envoy.filters.http.fault')).toEqual(metadata)
  })

  it('a gRPC status is for gRPC callers: others see a plain 200', () => {
    const reply = run(configured(faultFilter, { abort: { grpc_status: 14, percentage: always } }), stream())
    expect(reply).toMatchObject({ status: 200, grpcStatus: 14 })
    expect(reply).not.toHaveProperty('headers')
  })

  it('counts under the prefix of the manager', () => {
    const stats = createMetricsRegistry()
    const config = { abort: { http_status: 503, percentage: always } }
    run(configured(faultFilter, config, deps({ stats, statPrefix: 'in' })), stream())
    const labels = ['envoy_http_conn_manager_prefix']
    expect(stats.counter('envoy_http_fault_aborts_injected', '', labels).labels('in').value).toBe(1)
    expect(dottedName('envoy_http_fault_aborts_injected', labels, ['in'])).toBe('http.in.fault.aborts_injected')
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
