import { createMetricsRegistry, type Result } from '@heddle/runtime'
import { createFakeClock, createMemoryLogger, createSeededRandom } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import { emptyBody } from '../../http/body.js'
import type { FilterDeps, HttpFilter, HttpFilterFactory, HttpStream } from '../../http/filter.js'
import { createHeaderMap } from '../../http/header-map.js'
import type { HttpRequest, HttpResponse, LocalReply } from '../../http/message.js'
import type { StreamInfo } from '../../http/stream-info.js'
import type { TlsInfo } from '../../net/connection.js'
import { corsFilter } from './cors.js'
import { faultFilter } from './fault.js'
import { alpnOverride, istioAlpnFilter } from './istio-alpn.js'
import { istioStatsFilter } from './istio-stats.js'
import { peerMetadataFilter } from './peer-metadata.js'
import { rbacFilter } from './rbac.js'
import { decodePeer, encodePeer, workloadOfEndpoint } from './workload.js'

const logger = createMemoryLogger()
const NODE = {
  WORKLOAD_NAME: 'apps-v1',
  NAMESPACE: 'nolen',
  CLUSTER_ID: 'Kubernetes',
  LABELS: { app: 'apps', version: 'v1', 'service.istio.io/canonical-name': 'apps' },
}

function deps(rest: Partial<FilterDeps> = {}): FilterDeps {
  const node = { id: 'sidecar~10.0.0.1~apps-v1.nolen~nolen.svc.cluster.local', cluster: 'apps', metadata: NODE }
  return {
    clock: createFakeClock(),
    random: createSeededRandom(1),
    logger,
    node,
    stats: createMetricsRegistry(),
    direction: 'INBOUND',
    ...rest,
  }
}

interface StreamOptions {
  headers?: Record<string, string>
  method?: string
  path?: string
  perRoute?: unknown
  tls?: Partial<TlsInfo>
}

function stream({ headers = {}, method = 'GET', path = '/', perRoute, tls }: StreamOptions = {}): HttpStream {
  const request: HttpRequest = {
    method,
    scheme: 'http',
    authority: 'apps',
    path,
    protocol: 'HTTP/1.1',
    headers: createHeaderMap(Object.entries(headers)),
    body: emptyBody,
  }
  const info = {
    metadata: new Map(),
    filterState: new Map(),
    flags: new Set(),
    status: 200,
    start: 0,
    authority: 'apps',
    path,
    method,
    downstreamRemote: '10.0.0.9:1234',
    bytesReceived: 3,
    bytesSent: 5,
  } as unknown as StreamInfo
  const connection = { remote: { address: '10.0.0.9', port: 1234 }, local: { address: '10.0.0.1', port: 8080 }, tls }
  return {
    request,
    info,
    connection,
    route: undefined,
    clearRoute: () => {},
    perRouteConfig: () => perRoute,
  } as unknown as HttpStream
}

function configured<C>(factory: HttpFilterFactory<C>, json: object, own = deps()): (stream: HttpStream) => HttpFilter {
  const decoded = factory.decode(json as Record<string, unknown>, 'typed_config')
  return factory.create(must(decoded), own, 'filter')
}

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  return result.value
}

const run = (create: (stream: HttpStream) => HttpFilter, asked: HttpStream): ReturnType<NonNullable<HttpFilter['onRequest']>> =>
  create(asked).onRequest?.(asked.request, asked)
const response = (headers: Record<string, string> = {}): HttpResponse => ({
  status: 200,
  headers: createHeaderMap(Object.entries(headers)),
  body: emptyBody,
})

describe('rbac', () => {
  const deny = {
    rules: {
      action: 'DENY',
      policies: {
        'ns[nolen]-policy[no admin]-rule[0]': {
          permissions: [{ url_path: { path: { prefix: '/admin' } } }],
          principals: [{ any: true }],
        },
      },
    },
  }

  it('tells the caller nothing, the operator everything', () => {
    const reply = run(configured(rbacFilter, deny), stream({ path: '/admin/x' })) as LocalReply
    expect(reply).toEqual({
      status: 403,
      body: 'RBAC: access denied',
      details: 'rbac_access_denied_matched_policy[ns[nolen]-policy[no_admin]-rule[0]]',
    })
    expect(JSON.stringify(logger.entries)).toContain('no admin')
    expect(run(configured(rbacFilter, deny), stream({ path: '/info' }))).toBeUndefined()
  })

  it('takes principals from a verified certificate only', () => {
    const rules = {
      policies: {
        p: {
          permissions: [{ any: true }],
          principals: [{ authenticated: { principal_name: { exact: 'spiffe://td/ns/a/sa/b' } } }],
        },
      },
    }
    const create = configured(rbacFilter, { rules })
    expect(run(create, stream({ tls: { peerVerified: true, peerUris: ['spiffe://td/ns/a/sa/b'] } }))).toBeUndefined()
    expect(run(create, stream({ tls: { peerVerified: false, peerUris: ['spiffe://td/ns/a/sa/b'] } }))).toMatchObject({
      status: 403,
    })
    expect(run(create, stream())).toMatchObject({ status: 403 })
  })

  it('shadow rules change nothing but metadata', () => {
    const asked = stream({ path: '/admin' })
    const create = configured(rbacFilter, { shadow_rules: deny.rules, shadow_rules_stat_prefix: 'istio_dry_run_deny_' })
    expect(run(create, asked)).toBeUndefined()
    expect(asked.info.metadata.get('envoy.filters.http.rbac')).toEqual({
      istio_dry_run_deny_shadow_engine_result: 'denied',
      istio_dry_run_deny_shadow_effective_policy_id: 'ns[nolen]-policy[no admin]-rule[0]',
    })
  })

  it('a route can replace the rules, or switch them off', () => {
    const off = must(rbacFilter.decodePerRoute!({}, ''))
    expect(run(configured(rbacFilter, deny), stream({ path: '/admin', perRoute: off }))).toBeUndefined()
    const other = must(rbacFilter.decodePerRoute!({ rbac: { rules: { policies: {} } } }, ''))
    expect(run(configured(rbacFilter, deny), stream({ path: '/info', perRoute: other }))).toMatchObject({ status: 403 })
  })

  it('explains with the very same engine', () => {
    const question = {
      head: stream({ path: '/admin' }).request,
      client: '10.0.0.9',
      perRoute: undefined,
      facts: {
        source: { address: '10.0.0.9', port: 1 },
        directSource: { address: '10.0.0.9', port: 1 },
        destination: { address: '10.0.0.1', port: 80 },
        transportProtocol: 'raw_buffer' as const,
        applicationProtocols: [],
      },
    }
    expect(rbacFilter.explain!(must(rbacFilter.decode(deny, '')), question)).toMatchObject({
      outcome: 'reply',
      reason: 'DENY policy ns[nolen]-policy[no admin]-rule[0] matched',
      reply: { status: 403 },
    })
  })
})

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

describe('cors', () => {
  const policy = must(
    corsFilter.decodePerRoute!(
      {
        allow_origin_string_match: [{ suffix: '.example' }],
        allow_methods: 'GET,POST',
        max_age: '60',
        allow_credentials: true,
        expose_headers: 'x-e',
      },
      '',
    ),
  )
  const preflight = { origin: 'https://a.example', 'access-control-request-method': 'POST' }
  it('answers a preflight of an allowed origin', () => {
    const asked = stream({ method: 'OPTIONS', headers: preflight, perRoute: policy })
    const filter = configured(corsFilter, {})(asked)
    expect(filter.onRequest!(asked.request, asked)).toMatchObject({
      status: 200,
      headers: [
        ['access-control-allow-methods', 'GET,POST'],
        ['access-control-max-age', '60'],
      ],
    })
  })

  it('replaces what the upstream says for an allowed origin, and leaves other origins alone', () => {
    for (const [origin, want] of [
      ['https://a.example', 'https://a.example'],
      ['https://evil', '*'],
    ] as const) {
      const asked = stream({ headers: { origin }, perRoute: policy })
      const filter = configured(corsFilter, {})(asked)
      expect(filter.onRequest!(asked.request, asked)).toBeUndefined()
      const answer = response({ 'access-control-allow-origin': '*' })
      void filter.onResponse?.(answer, asked)
      expect(answer.headers.get('access-control-allow-origin')).toBe(want)
      expect(answer.headers.get('access-control-allow-credentials')).toBe(want === '*' ? undefined : 'true')
    }
  })

  it('preflights of other origins go upstream unless told otherwise', () => {
    const headers = { ...preflight, origin: 'https://evil' }
    expect(run(configured(corsFilter, {}), stream({ method: 'OPTIONS', headers, perRoute: policy }))).toBeUndefined()
    const strict = must(corsFilter.decodePerRoute!({ forward_not_matching_preflights: false }, ''))
    expect(run(configured(corsFilter, {}), stream({ method: 'OPTIONS', headers, perRoute: strict }))).toEqual({
      status: 200,
      body: '',
      details: 'cors_response',
    })
  })
})

describe('istio.alpn', () => {
  it('replaces the offer by protocol, unless the cluster forbids it', () => {
    const asked = stream()
    void run(
      configured(istioAlpnFilter, {
        alpn_override: [{ upstream_protocol: 'HTTP11', alpn_override: ['istio-http/1.1', 'istio', 'http/1.1'] }],
      }),
      asked,
    )
    expect(alpnOverride(asked.info, 'HTTP/1.1', {})).toEqual(['istio-http/1.1', 'istio', 'http/1.1'])
    expect(alpnOverride(asked.info, 'HTTP/2', {})).toBeUndefined()
    expect(alpnOverride(asked.info, 'HTTP/1.1', { istio: { alpn_override: 'false' } })).toBeUndefined()
    expect(alpnOverride(stream().info, 'HTTP/1.1', {})).toBeUndefined()
  })
})

describe('peer metadata', () => {
  it('travels as a Struct in base64 and comes back', () => {
    expect(decodePeer(encodePeer(NODE))).toEqual({
      name: 'apps-v1',
      namespace: 'nolen',
      cluster: 'Kubernetes',
      canonicalName: 'apps',
      canonicalRevision: 'latest',
      app: 'apps',
      version: 'v1',
    })
    const wire = Buffer.from(encodePeer({ NAMESPACE: 'n', LABELS: {} }), 'base64').toString('hex')
    expect(wire).toBe('0a0c0a064c4142454c5312022a000a100a094e414d45535041434512031a016e')
    for (const junk of ['', '%%%', 'AAAA', 'x'.repeat(20_000)]) expect(decodePeer(junk)?.name ?? '').toBe('')
  })

  it('is taken off requests, and answered only when the client spoke first', () => {
    const create = configured(peerMetadataFilter, {
      downstream_discovery: [{ istio_headers: {} }],
      downstream_propagation: [{ istio_headers: {} }],
    })
    const spoken = stream({ headers: { 'x-envoy-peer-metadata': encodePeer(NODE), 'x-envoy-peer-metadata-id': 'x' } })
    for (const [asked, answered] of [
      [spoken, true],
      [stream(), false],
    ] as const) {
      const filter = create(asked)
      void filter.onRequest!(asked.request, asked)
      expect(asked.request.headers.size).toBe(0)
      const answer = response()
      void filter.onResponse!(answer, asked)
      expect(answer.headers.has('x-envoy-peer-metadata')).toBe(answered)
    }
    expect(spoken.info.filterState.get('downstream_peer')).toMatchObject({ name: 'apps-v1' })
  })

  it('is told upstream and taken off the answer', () => {
    const asked = stream()
    const filter = configured(peerMetadataFilter, {
      upstream_discovery: [{ istio_headers: {} }],
      upstream_propagation: [{ istio_headers: {} }],
    })(asked)
    void filter.onRequest!(asked.request, asked)
    expect(asked.request.headers.get('x-envoy-peer-metadata-id')).toContain('apps-v1.nolen')
    const answer = response({ 'x-envoy-peer-metadata': encodePeer({ WORKLOAD_NAME: 'w' }), other: '1' })
    void filter.onResponse!(answer, asked)
    expect([...answer.headers]).toEqual([['other', '1']])
    expect(asked.info.filterState.get('upstream_peer')).toMatchObject({ name: 'w' })
  })

  it('is known of endpoints as well', () => {
    expect(workloadOfEndpoint('w;ns;can;v1;c1')).toMatchObject({
      name: 'w',
      namespace: 'ns',
      canonicalName: 'can',
      cluster: 'c1',
    })
    expect(workloadOfEndpoint('w;ns')).toBeUndefined()
  })
})

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
