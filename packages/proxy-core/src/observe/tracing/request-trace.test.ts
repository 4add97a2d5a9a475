import { createFakeClock, createSeededRandom } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import { compileMessage } from '../../config/fields.js'
import { compileRouteTracing, compileTracing } from '../../config/tracing.js'
import { createHeaderMap } from '../../http/header-map.js'
import type { HttpRequest } from '../../http/message.js'
import type { StreamInfo } from '../../http/stream-info.js'
import type { RouteDecision } from '../../route/decision.js'
import type { AccessLogEntry } from '../access-log.js'
import { createHttpTracing } from './request-trace.js'
import type { Span, Tracer } from './span.js'

const ID = '00000001-1111-4111-8111-111111111111'

interface Asked {
  direction?: 'INBOUND' | 'OUTBOUND'
  config?: object
  route?: { tracing?: object; decorator?: object }
  headers?: [string, string][]
  info?: Partial<StreamInfo>
}

function trace({ direction = 'INBOUND', config = {}, route, headers = [], info: change = {} }: Asked) {
  const compiled = compileMessage(config, 'tracing', (fields) => compileTracing(fields, {}))
  if (!compiled.ok || compiled.value === undefined) throw new Error(compiled.diagnostics[0]?.message)
  const reported: Span[] = []
  const tracer: Tracer = {
    begin: (_, __, sampled) => ({ traceId: 'a', spanId: 'b', sampled, state: '', shared: false }),
    inject: (into) => into.set('x-injected', 'yes'),
    report: (span) => reported.push(span),
    flush: () => Promise.resolve(),
  }
  const tracing = createHttpTracing({
    config: compiled.value,
    tracer,
    direction,
    node: { id: 'sidecar~1', zone: 'z1' },
    clock: createFakeClock(),
    random: createSeededRandom(1),
  })
  const requestHeaders = createHeaderMap([['x-request-id', ID], ['user-agent', 'curl/8'], ...headers])
  const request = { headers: requestHeaders, authority: 'reviews:9080' } as HttpRequest
  const info = {
    ...{ requestId: ID, method: 'GET', path: '/new', originalPath: '/old', authority: 'reviews:9080', protocol: 'HTTP/1.1' },
    ...{ startTime: 1000.5, start: 10, end: 15, status: 200, bytesReceived: 3, bytesSent: 4, flags: new Set() },
    ...{
      downstreamRemote: '10.0.0.9:1',
      cluster: 'c',
      endpoint: { address: { address: '10.0.0.1', port: 80 }, metadata: { lb: { canary: true } } },
    },
    ...{ metadata: new Map([['rbac', { verdict: { rule: 'r1' } }]]), clusterMetadata: { istio: { service: 'reviews' } } },
    ...change,
  } as unknown as StreamInfo
  const entry: AccessLogEntry = { info, requestHeaders }
  const routeTracing =
    route &&
    compileMessage(route, 'route', (fields) =>
      compileRouteTracing(fields.message('tracing') as never, fields.message('decorator') as never),
    )
  const decision = {
    kind: 'forward',
    route: routeTracing?.ok === true ? { tracing: routeTracing.value } : {},
  } as unknown as RouteDecision
  const one = tracing.begin(request, entry, decision)
  const finished = (): Span | undefined => {
    one.finish(entry)
    return reported[0]
  }
  return { one, info, requestHeaders, finished }
}

describe('the span of a request', () => {
  it('has what Envoy tells of every request', () => {
    const span = trace({
      headers: [
        ['x-client-trace-id', 'mine'],
        ['x-forwarded-proto', 'https'],
      ],
    }).finished()
    expect(span).toMatchObject({ kind: 'SERVER', name: 'ingress', startMs: 1000.5, endMs: 1005.5, error: false })
    expect(Object.fromEntries(span?.tags ?? [])).toEqual({
      node_id: 'sidecar~1',
      zone: 'z1',
      'guid:x-request-id': '00000001-1111-b111-8111-111111111111',
      'guid:x-client-trace-id': 'mine',
      'http.url': 'https://reviews:9080/old',
      'http.method': 'GET',
      'http.protocol': 'HTTP/1.1',
      'http.status_code': '200',
      downstream_cluster: '-',
      user_agent: 'curl/8',
      'peer.address': '10.0.0.9',
      request_size: '3',
      response_size: '4',
      response_flags: '-',
      component: 'proxy',
      upstream_cluster: 'c',
      'upstream_cluster.name': 'c',
    })
  })

  it.each([0, 503])('status %i is an error', (status) => {
    const span = trace({ info: { status } }).finished()
    expect(span?.error).toBe(true)
    expect(span?.tags.get('error')).toBe('true')
  })

  it('a gRPC call tells its status', () => {
    const span = trace({
      headers: [
        ['content-type', 'application/grpc'],
        ['grpc-timeout', '1S'],
      ],
      info: { grpcStatus: '5' },
    }).finished()
    expect(Object.fromEntries(span?.tags ?? [])).toMatchObject({
      'grpc.status_code': '5',
      'grpc.timeout': '1S',
      'grpc.path': '/new',
    })
  })

  it('a long path is cut', () => {
    const span = trace({ config: { max_path_tag_length: 3 } }).finished()
    expect(span?.tags.get('http.url')).toBe('http://reviews:9080/ol')
  })

  it('what is not sampled is not reported, and goes on', () => {
    const { finished, one, requestHeaders } = trace({ config: { random_sampling: { value: 0 } } })
    one.inject(requestHeaders)
    expect(requestHeaders.get('x-injected')).toBe('yes')
    expect(finished()).toBeUndefined()
  })

  it('the route samples for itself, and the id of the request tells it on', () => {
    const { finished, info, requestHeaders } = trace({
      config: { random_sampling: { value: 0 } },
      route: { tracing: { random_sampling: { numerator: 100 } } },
    })
    expect(finished()).toBeDefined()
    expect(info.requestId).toBe('00000001-1111-9111-8111-111111111111')
    expect(requestHeaders.get('x-request-id')).toBe(info.requestId)
  })
})

describe('what it is called', () => {
  const decorator = { operation: 'reviews:9080/*' }
  it('a client says it to its server and hears it from there', () => {
    const { one, requestHeaders, finished } = trace({ direction: 'OUTBOUND', route: { decorator } })
    expect(requestHeaders.get('x-envoy-decorator-operation')).toBe('reviews:9080/*')
    const answer = createHeaderMap([['x-envoy-decorator-operation', 'told']])
    one.onResponse(answer)
    expect(answer.has('x-envoy-decorator-operation')).toBe(false)
    expect(finished()).toMatchObject({ kind: 'CLIENT', name: 'told' })
  })
  it('a server takes the name of its client and keeps it from the app', () => {
    const { one, requestHeaders, finished } = trace({ route: { decorator }, headers: [['x-envoy-decorator-operation', 'told']] })
    expect(requestHeaders.has('x-envoy-decorator-operation')).toBe(false)
    const answer = createHeaderMap()
    one.onResponse(answer)
    expect(answer.get('x-envoy-decorator-operation')).toBe('reviews:9080/*')
    expect(finished()?.name).toBe('told')
  })
  it('is said to nobody without propagate', () => {
    const { one, requestHeaders } = trace({ direction: 'OUTBOUND', route: { decorator: { ...decorator, propagate: false } } })
    expect(requestHeaders.has('x-envoy-decorator-operation')).toBe(false)
    one.onResponse(createHeaderMap())
  })
  it.each<[Asked, string]>([
    [{ direction: 'OUTBOUND' }, 'egress reviews:9080'],
    [{ direction: 'OUTBOUND', config: { operation: '%REQ(USER-AGENT)% out' } }, 'curl/8 out'],
    [{ route: { decorator } }, 'reviews:9080/*'],
    [{ route: { decorator }, config: { operation: 'ours' } }, 'ours'],
  ])('%j: %s', (asked, name) => {
    expect(trace(asked).finished()?.name).toBe(name)
  })
})

it('the next hop hears of the trace, unless it is not to', () => {
  for (const [config, told] of [
    [{}, true],
    [{ no_context_propagation: true }, false],
    [{ no_context_propagation: true, spawn_upstream_span: true }, false],
    [{ spawn_upstream_span: true }, true],
  ] as const) {
    const { one, info, requestHeaders } = trace({ config, headers: [['x-before', 'b']] })
    one.inject(requestHeaders)
    one.attempt(requestHeaders, { info, requestHeaders })
    expect([requestHeaders.has('x-injected'), requestHeaders.get('x-before')]).toEqual([told, 'b'])
  }
})

describe('custom tags', () => {
  const tagged = (tag: object, route?: object): string | undefined =>
    trace({
      config: { custom_tags: [{ tag: 't', ...tag }] },
      ...(route !== undefined && { route: { tracing: { custom_tags: [{ tag: 't', ...route }] } } }),
    })
      .finished()
      ?.tags.get('t')
  const of = (kind: string, key: string, ...path: string[]) => ({
    metadata: { kind: { [kind]: {} }, metadata_key: { key, path: path.map((each) => ({ key: each })) }, default_value: 'none' },
  })
  it.each<[object, string | undefined]>([
    [{ literal: { value: 'v1' } }, 'v1'],
    [{ environment: { name: 'HEDDLE_NOT_SET', default_value: 'd' } }, 'd'],
    [{ environment: { name: 'HEDDLE_NOT_SET' } }, undefined],
    [{ request_header: { name: 'User-Agent' } }, 'curl/8'],
    [{ request_header: { name: 'x-none', default_value: 'd' } }, 'd'],
    [{ value: 'is %REQ(USER-AGENT)%' }, 'is curl/8'],
    [of('request', 'rbac', 'verdict', 'rule'), 'r1'],
    [of('request', 'rbac', 'verdict'), '{"rule":"r1"}'],
    [of('cluster', 'istio', 'service'), 'reviews'],
    [of('host', 'lb', 'canary'), 'true'],
    [of('route', 'istio', 'x'), 'none'],
  ])('%j: %s', (tag, value) => {
    expect(tagged(tag)).toBe(value)
  })
  it('the route’s go before the manager’s', () => {
    expect(tagged({ literal: { value: 'manager' } }, { literal: { value: 'route' } })).toBe('route')
  })
})

describe('refused', () => {
  const provider = (type: string, value: object) => ({
    provider: { name: 'p', typed_config: { '@type': `type.googleapis.com/envoy.config.trace.v3.${type}`, ...value } },
  })
  it.each<[object, string]>([
    [provider('DatadogConfig', {}), 'tracing.provider.typed_config'],
    [provider('ZipkinConfig', { collector_endpoint: '/api' }), 'tracing.provider.typed_config.collector_cluster'],
    [
      provider('ZipkinConfig', { collector_cluster: 'c', collector_endpoint: '/', collector_endpoint_version: 'HTTP_PROTO' }),
      'tracing.provider.typed_config.collector_endpoint_version',
    ],
    [provider('OpenTelemetryConfig', {}), 'tracing.provider.typed_config'],
    [{ upstream_operation: '%NOPE%' }, 'tracing.upstream_operation'],
    [{ custom_tags: [{ tag: 't', value: '%NOPE%' }] }, 'tracing.custom_tags[0].value'],
  ])('%j', (config, path) => {
    const compiled = compileMessage(config, 'tracing', (fields) => compileTracing(fields, {}))
    expect(compiled.ok).toBe(false)
    expect(compiled.diagnostics.map((problem) => problem.path)).toContain(path)
  })
})
