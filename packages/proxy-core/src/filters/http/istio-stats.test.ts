import { type Counter, renderPrometheus } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import type { FilterDeps, HttpStream } from '../../http/filter.js'
import { decodePeer, encodePeer } from '../../observe/peer/workload.js'
import { istioStatsFilter } from './istio-stats.js'
import { configured, deps, NODE, stream } from './testing.js'

describe('istio.stats', () => {
  const series = (own: FilterDeps, metric: string): Record<string, string>[] => {
    const family = [...own.stats.families()].find(({ name }) => name === metric)!
    return [...family.series()].map(([labels]) => Object.fromEntries(family.labelNames.map((name, i) => [name, labels[i] ?? ''])))
  }

  it('counts at the destination, with what the peer told', () => {
    const own = deps({
      clusterMetadata: () => ({
        istio: { services: [{ host: 'apps.nolen.svc.cluster.local', name: 'apps', namespace: 'nolen' }] },
      }),
    })
    const asked = stream({ tls: { peerVerified: true } })
    asked.info.filterState.set('downstream_peer', decodePeer(encodePeer({ ...NODE, WORKLOAD_NAME: 'client' })))
    Object.assign(asked.info, {
      cluster: 'inbound|8080||',
      status: 403,
      details: 'rbac',
      peerPrincipal: 'spiffe://cluster.local/ns/nolen/sa/client',
      localPrincipal: 'spiffe://cluster.local/ns/nolen/sa/apps',
      end: 12,
    })
    configured(istioStatsFilter, {}, own)(asked).onComplete!(asked.info)
    expect(series(own, 'istio_requests_total')[0]).toMatchObject({
      reporter: 'destination',
      source_workload: 'client',
      source_principal: 'spiffe://cluster.local/ns/nolen/sa/client',
      destination_workload: 'apps-v1',
      destination_service: 'apps.nolen.svc.cluster.local',
      destination_service_name: 'apps',
      request_protocol: 'http',
      response_code: '403',
      response_flags: '-',
      connection_security_policy: 'mutual_tls',
    })
  })

  it('counts at the source, by the endpoint when the peer says nothing', () => {
    const own = deps({ direction: 'OUTBOUND' })
    const asked = stream({ headers: { 'content-type': 'application/grpc' } })
    Object.assign(asked.info, {
      endpoint: { metadata: { istio: { workload: 'server;ns;srv;v2;c' } } },
      grpcStatus: '0',
      flags: new Set(['UF', 'URX']),
    })
    configured(istioStatsFilter, {}, own)(asked).onComplete!(asked.info)
    expect(series(own, 'istio_requests_total')[0]).toMatchObject({
      reporter: 'source',
      source_workload: 'apps-v1',
      destination_workload: 'server',
      destination_service: 'apps',
      request_protocol: 'grpc',
      grpc_response_status: '0',
      response_flags: 'UF,URX',
      connection_security_policy: 'unknown',
    })
  })

  it('CVE-2025-43915: 20,000 hosts, and as many values of a header, are no 20,000 series', () => {
    const own = deps({ direction: 'OUTBOUND' })
    const dropped = ['request_duration_milliseconds', 'response_bytes'].map((name) => ({ name, drop: true }))
    const create = configured(istioStatsFilter, { metrics: [...dropped, { dimensions: { via: 'request.headers["via"]' } }] }, own)
    for (let i = 0; i < 20_000; i++) {
      const asked = stream({ headers: { via: `v${i}` } })
      asked.info.authority = `host-${i}.example`
      create(asked).onComplete!(asked.info)
    }
    for (const { name, series: all } of own.stats.families()) expect([...all()].length, name).toBeLessThanOrEqual(10_001)
    const counted = [...own.stats.families()].find(({ name }) => name === 'istio_requests_total')!
    expect([...counted.series()].reduce((sum, [, metric]) => sum + (metric as Counter).value, 0)).toBe(20_000)
    expect(series(own, 'istio_requests_total').at(-1)).toMatchObject({ destination_service: 'overflow', via: 'overflow' })
  })

  it('drops metrics and labels, adds tags, and refuses what it cannot read', () => {
    const own = deps()
    const metrics = [
      { name: 'request_bytes', drop: true },
      {
        tags_to_remove: ['source_app'],
        dimensions: { request_host: 'request.host', kind: "'x'", via: 'request.headers["via"]' },
      },
    ]
    const asked = stream({ headers: { via: 'v' } })
    configured(istioStatsFilter, { metrics }, own)(asked).onComplete!(asked.info)
    expect([...own.stats.families()].map(({ name }) => name)).not.toContain('istio_request_bytes')
    const [labels] = series(own, 'istio_requests_total')
    expect(labels).toMatchObject({ request_host: 'apps', kind: 'x', via: 'v' })
    expect(labels).not.toHaveProperty('source_app')
  })

  it('loses a tag that is no expression, and says so, but nothing else', () => {
    const own = deps()
    const config = {
      metrics: [{ dimensions: { a: 'request.size +', source_app: ')', 'b-c': 'string(request.size + 1)', le: 'request.id' } }],
    }
    expect(istioStatsFilter.decode(config, 'c')).toMatchObject({
      ok: true,
      diagnostics: [
        { severity: 'warning', code: 'cel.invalid', path: 'c.metrics[0].dimensions["a"]' },
        { severity: 'warning', code: 'cel.invalid', path: 'c.metrics[0].dimensions["source_app"]' },
      ],
    })
    const asked = stream()
    configured(istioStatsFilter, config, own)(asked).onComplete!(asked.info)
    const [labels] = series(own, 'istio_request_duration_milliseconds')
    expect(labels).toMatchObject({ b_c: '4', le_: 'unknown' })
    expect(Object.keys(labels!)).not.toEqual(expect.arrayContaining(['a']))
    expect(labels).not.toHaveProperty('source_app')
  })

  it('has other labels for clients than for servers, and after a change', () => {
    const own = deps()
    for (const dimensions of [{}, { who: 'request.host' }, { who: 'request.host', what: 'request.method' }]) {
      const asked = stream()
      configured(istioStatsFilter, { metrics: [{ dimensions }] }, own)(asked).onComplete!(asked.info)
    }
    const all = [...own.stats.families()].filter(({ name }) => name === 'istio_requests_total')
    expect(all.map(({ labelNames }) => labelNames.slice(25))).toEqual([[], ['who'], ['what', 'who']])
    const text = renderPrometheus(own.stats)
    expect(text.match(/^# TYPE istio_requests_total counter$/gm)).toHaveLength(1)
    expect(text.match(/^istio_requests_total\{/gm)).toHaveLength(3)
  })

  it('keeps the place of a label whose value is another', () => {
    const own = deps()
    const asked = stream()
    configured(istioStatsFilter, { metrics: [{ dimensions: { reporter: "'me'", a: "'b'" } }] }, own)(asked).onComplete!(
      asked.info,
    )
    const family = [...own.stats.families()].find(({ name }) => name === 'istio_requests_total')!
    expect([family.labelNames[0], family.labelNames.at(-1)]).toEqual(['reporter', 'a'])
    expect(series(own, 'istio_requests_total')[0]).toMatchObject({ reporter: 'me', a: 'b' })
  })

  it('measures what went over the wire, where the codec tells', () => {
    const own = deps()
    const asked = { ...stream(), downstreamWire: { received: 100, sent: 2000 } } as HttpStream
    configured(istioStatsFilter, {}, own)(asked).onComplete!(asked.info)
    const text = renderPrometheus(own.stats)
    expect(text).toMatch(/^istio_request_bytes_sum\{.*\} 100$/m)
    expect(text).toMatch(/^istio_response_bytes_sum\{.*\} 2000$/m)
  })

  it('counts the messages of gRPC calls while they last, under what is known when it is known', () => {
    const clock = createFakeClock()
    const own = deps({ clock })
    const asked = stream({ headers: { 'content-type': 'application/grpc' } })
    const counts = { request_message_count: 0, response_message_count: 0 }
    asked.info.filterState.set('envoy.filters.http.grpc_stats', counts)
    const filter = configured(istioStatsFilter, { tcp_reporting_duration: '2s' }, own)(asked)
    const told = (): unknown[] =>
      ['request', 'response'].map((side) => {
        const family = [...own.stats.families()].find(({ name }) => name === `istio_${side}_messages_total`)!
        return [...family.series()].map(([, metric]) => (metric as Counter).value)
      })
    Object.assign(counts, { request_message_count: 3, response_message_count: 1 })
    clock.advance(2_000)
    expect(told()).toEqual([[], []])
    asked.info.filterState.set('downstream_peer', decodePeer(encodePeer({ ...NODE, WORKLOAD_NAME: 'client' })))
    clock.advance(2_000)
    expect(told()).toEqual([[3], [1]])
    counts.response_message_count = 9
    filter.onComplete!(asked.info)
    expect(told()).toEqual([[3], [9]])
    const [labels] = series(own, 'istio_request_messages_total')
    expect(labels).toMatchObject({ reporter: 'destination', source_workload: 'client' })
    expect(labels).not.toHaveProperty('request_protocol')
    clock.advance(60_000)
    expect(told()).toEqual([[3], [9]])
  })

  it('has metrics of the user’s own, and keeps Istio’s as they are', () => {
    const own = deps()
    const definitions = [
      { name: 'big', value: 'request.size > 2 ? 1 : 0', type: 'COUNTER' },
      { name: 'size', value: 'request.size', type: 'HISTOGRAM' },
      { name: 'last', value: 'response.code', type: 'GAUGE' },
      { name: 'none', value: 'request.host', type: 'COUNTER' },
      { name: 'requests_total', value: '1' },
      { name: 'broken', value: '(' },
    ]
    const config = { definitions, metrics: [{ name: 'big', dimensions: { method: 'request.method' } }] }
    expect(istioStatsFilter.decode(config, 'c')).toMatchObject({
      ok: true,
      diagnostics: [
        { severity: 'warning', path: 'c.definitions[4].name' },
        { severity: 'warning', path: 'c.definitions[5].value' },
      ],
    })
    const asked = stream()
    configured(istioStatsFilter, config, own)(asked).onComplete!(asked.info)
    const text = renderPrometheus(own.stats)
    expect(text).toContain('istio_big{method="GET"} 1\n')
    expect(text).toContain('istio_size_sum 3\n')
    expect(text).toContain('istio_last 200\n')
    expect(text).toContain('istio_none 0\n')
    expect(text).not.toContain('istio_broken')
  })

  it('says which version of Istio it is of', () => {
    const own = deps()
    configured(istioStatsFilter, {}, own)
    expect(renderPrometheus(own.stats)).toContain('istio_build{component="proxy",tag="unknown"} 1\n')
    const told = deps({ node: { ...own.node, metadata: { ...NODE, ISTIO_VERSION: '1.30.1' } } })
    configured(istioStatsFilter, {}, told)
    expect(renderPrometheus(told.stats)).toContain('istio_build{component="proxy",tag="1.30.1"} 1\n')
  })
})
