import type { Counter } from '@heddle/runtime'
import { describe, expect, it } from 'vitest'
import type { FilterDeps } from '../../http/filter.js'
import { istioStatsFilter } from './istio-stats.js'
import { configured, deps, NODE, stream } from './testing.js'
import { decodePeer, encodePeer } from './workload.js'

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
    expect(istioStatsFilter.decode({ metrics: [{ dimensions: { a: 'request.size + 1' } }] }, 'c')).toMatchObject({
      ok: false,
      diagnostics: [{ path: 'c.metrics[0].dimensions["a"]' }],
    })
  })
})
