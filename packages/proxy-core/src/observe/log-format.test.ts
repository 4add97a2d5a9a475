import { describe, expect, it } from 'vitest'
import { createHeaderMap } from '../http/header-map.js'
import type { StreamInfo } from '../http/stream-info.js'
import type { AccessLogEntry } from './access-log.js'
import { compileJsonFormat, compileTextFormat, DEFAULT_TEXT_FORMAT } from './log-format.js'

const info = (change: Partial<StreamInfo> = {}): StreamInfo => ({
  startTime: Date.UTC(2026, 10, 21, 6, 7, 8, 9),
  start: 1000,
  end: 1012.7,
  method: 'GET',
  authority: 'web.example:8080',
  path: '/new',
  originalPath: '/old?x=1',
  protocol: 'HTTP/1.1',
  requestId: 'req-1',
  status: 200,
  details: 'via_upstream',
  flags: new Set(),
  bytesReceived: 3,
  bytesSent: 1234,
  attempts: 2,
  routeName: 'default',
  cluster: 'outbound|80||web',
  endpoint: {
    address: { address: '10.0.0.7', port: 8080 },
    weight: 1,
    priority: 0,
    locality: { region: '', zone: '', subZone: '' },
    health: 'HEALTHY',
    metadata: {},
  },
  upstreamLocal: '10.0.0.1:5000',
  upstreamProtocol: 'HTTP/1.1',
  routeMetadata: { ns: { k: 'of the route' } },
  clusterMetadata: { ns: { k: 'of the cluster', deep: { n: 7 } } },
  downstreamRemote: '10.0.0.1:4711',
  downstreamDirectRemote: '10.0.0.9:4712',
  downstreamLocal: '[::1]:80',
  sni: 'web.example',
  peerPrincipal: 'spiffe://cluster.local/ns/a/sa/b',
  metadata: new Map([['envoy.filters.http.jwt_authn', { payload: { sub: 'me' }, n: 7 }]]),
  filterState: new Map([['policy', 'deny-all']]),
  ...change,
})

const entry = (change: Partial<StreamInfo> = {}, request: [string, string][] = []): AccessLogEntry => ({
  info: info(change),
  requestHeaders: createHeaderMap([['user-agent', 'curl/8'], ...request]),
  responseHeaders: createHeaderMap([['x-envoy-upstream-service-time', '11']]),
})

function inText(format: string, of: AccessLogEntry = entry(), omitEmptyValues = false): string {
  const compiled = compileTextFormat(format, 'format', { omitEmptyValues })
  if (!compiled.ok) throw new Error(compiled.diagnostics[0]?.message)
  return compiled.value(of)
}

function inJson(format: unknown, of: AccessLogEntry = entry(), omitEmptyValues = false): string {
  const compiled = compileJsonFormat(format, 'json_format', { omitEmptyValues })
  if (!compiled.ok) throw new Error(compiled.diagnostics[0]?.message)
  return compiled.value(of)
}

describe('operators in text', () => {
  it('know the remote address of the upstream once connected, its host before', () => {
    const { upstreamLocal: _, ...unconnected } = info({ upstreamTransportFailureReason: 'Connection refused' })
    const line = inText('%UPSTREAM_REMOTE_ADDRESS% %UPSTREAM_HOST% %UPSTREAM_TRANSPORT_FAILURE_REASON%', { info: unconnected })
    expect(line).toBe('- 10.0.0.7:8080 Connection_refused')
  })

  it('write a reason as one word, whatever white space it has', () => {
    const reason = 'TLS_error: unsupported protocol\r\n\t:1664:\n'
    const told = entry({ upstreamTransportFailureReason: reason, downstreamTransportFailureReason: reason, details: 'a\nb c' })
    const line = inText('%UPSTREAM_TRANSPORT_FAILURE_REASON% %DOWNSTREAM_TRANSPORT_FAILURE_REASON% %RESPONSE_CODE_DETAILS%', told)
    const word = 'TLS_error:_unsupported_protocol___:1664:_'
    expect(line).toBe(`${word} ${word} a_b_c`)
  })

  it('read the environment', () => {
    process.env['HEDDLE_TEST_OPERATOR'] = 'set'
    expect(inText('%ENVIRONMENT(HEDDLE_TEST_OPERATOR)% %ENVIRONMENT(HEDDLE_TEST_UNSET)%')).toBe('set -')
    delete process.env['HEDDLE_TEST_OPERATOR']
  })

  it.each([
    ['%START_TIME%', '2026-11-21T06:07:08.009Z'],
    ['%START_TIME(%Y/%m/%d %H:%M:%S.%3f %z)%', '2026/11/21 06:07:08.009 +0000'],
    ['%START_TIME(%s)%', '1795241228'],
    ['%START_TIME(%E3S)%', '08.009'],
    ['%REQ(:METHOD)% %REQ(:PATH)% %REQ(:AUTHORITY)%', 'GET /new web.example:8080'],
    ['%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%', '/old?x=1'],
    ['%REQ(X-NOT-THERE?USER-AGENT)%', 'curl/8'],
    ['%REQ(USER-AGENT):4%', 'curl'],
    ['%REQ(X-REQUEST-ID)%', 'req-1'],
    ['%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%', '11'],
    ['%PROTOCOL% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%', 'HTTP/1.1 200 - via_upstream'],
    ['%BYTES_RECEIVED%/%BYTES_SENT% %DURATION%', '3/1234 12'],
    ['%UPSTREAM_HOST% %UPSTREAM_REMOTE_PORT% %UPSTREAM_CLUSTER%', '10.0.0.7:8080 8080 outbound|80||web'],
    ['%UPSTREAM_REQUEST_ATTEMPT_COUNT%', '2'],
    ['%UPSTREAM_PROTOCOL% %ACCESS_LOG_TYPE%', 'HTTP/1.1 NotSet'],
    // Envoy: empty texts where other absent values are `-`.
    ['<%LOCAL_REPLY_BODY%%CUSTOM_FLAGS%> %DOWNSTREAM_TRANSPORT_FAILURE_REASON%', '<> -'],
    // What x-forwarded-for told, and who is at the other end of the connection.
    ['%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_DIRECT_REMOTE_ADDRESS%', '10.0.0.1:4711 10.0.0.9:4712'],
    ['%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_DIRECT_REMOTE_PORT%', '10.0.0.9 4712'],
    ['%METADATA(ROUTE:ns:k)% %METADATA(CLUSTER:ns:k)%', 'of the route of the cluster'],
    ['%METADATA(CLUSTER:ns:deep)% %METADATA(UPSTREAM_HOST:ns)% %METADATA(ROUTE:none)%', '{"n":7} - -'],
    ['%METADATA(DYNAMIC:envoy.filters.http.jwt_authn:n)%', '7'],
    [
      '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_LOCAL_PORT%',
      '10.0.0.1 ::1 80',
    ],
    ['%REQUESTED_SERVER_NAME% %ROUTE_NAME% %DOWNSTREAM_PEER_URI_SAN%', 'web.example default spiffe://cluster.local/ns/a/sa/b'],
    ['%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:payload:sub)%', 'me'],
    ['%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:payload)%', '{"sub":"me"}'],
    ['%DYNAMIC_METADATA(no.such:key)%', '-'],
    ['%FILTER_STATE(policy:PLAIN)%', 'deny-all'],
    ['%PATH(NQ)% %PATH(WQ:PATH)% %PATH(NQ:ORIG)% %QUERY_PARAMS%', '/old /new /old -'],
    ['%REQ(:SCHEME)% %UPSTREAM_HOST_NAME%', '- 10.0.0.7:8080'],
    ['100%% of it\n', '100% of it\n'],
    ['', ''],
  ])('%s', (format, want) => {
    expect(inText(format)).toBe(want)
  })

  it('decodes what is well encoded of a query', () => {
    const sent = entry({ path: '/p?%20s=a+b%2g%zz%41&u=%C3%BC' })
    const forged = entry({ path: '/?q=a%0d%0Ab%7F%1f' })
    expect(inText('%QUERY_PARAM(q)% %QUERY_PARAMS(DECODED)%', forged)).toBe('a%0d%0Ab%7F%1f q=a%0d%0Ab%7F%1f')
    expect(inText('%QUERY_PARAM( s)% %QUERY_PARAM(u)% %QUERY_PARAMS(DECODED)%', sent)).toBe('a+b%2g%zzA ü  s=a+b%2g%zzA&u=ü')
  })

  it.each([
    ['ns:o', '{"n":1e+06,"p":"q","x":null}'],
    ['ns:l', '[1,2e+06,{}]'],
    ['ns:n', '1e+05'],
  ])('cuts the text of %s', (key, whole) => {
    const metadata = new Map([['ns', { o: { p: 'q', n: 1_000_000, x: null }, l: [1, 2_000_000, {}], n: 100_000 }]])
    const of = entry({ metadata })
    expect(inText(`%DYNAMIC_METADATA(${key})% %DYNAMIC_METADATA(${key}):4%`, of)).toBe(`${whole} ${whole.slice(0, 4)}`)
    expect(JSON.parse(inJson({ a: `%DYNAMIC_METADATA(${key}):4%` }, of)), 'in JSON it keeps its type').toEqual({
      a: JSON.parse(whole),
    })
  })

  it('leaves all that is empty out of JSON with omit_empty_values, but no list and no text', () => {
    const metadata = new Map([['ns', { nul: null, o: { x: null }, e: {} }]])
    const format = {
      constant: null,
      'empty object': {},
      'object of nothing': { none: '%REQ(X-NONE)%', deep: { none: '%REQ(X-NONE)%' } },
      'null of metadata': '%DYNAMIC_METADATA(ns:nul)%',
      a: '%DYNAMIC_METADATA(ns:o)%',
      b: '%DYNAMIC_METADATA(ns:e)%',
      c: ['%REQ(X-NONE)%', '%DYNAMIC_METADATA(ns:nul)%', {}, { none: '%REQ(X-NONE)%' }, [], 'x'],
      d: { e: { f: '%PROTOCOL%', none: {} }, g: '' },
    }
    expect(inJson(format, entry({ metadata }), true)).toBe(
      '{"a":{"x":null},"b":{},"c":[[],"x"],"d":{"e":{"f":"HTTP/1.1"},"g":""}}\n',
    )
    expect(inJson({ none: '%REQ(X-NONE)%' }, entry(), true)).toBe('{}\n')
    expect(inJson({ a: {}, b: [{}] })).toBe('{"a":{},"b":[{}]}\n')
  })

  it('leaves a null in a list out with omit_empty_values, as Envoy does', () => {
    expect(inJson({ l: [1, null, 'x'] }, entry(), true)).toBe('{"l":[1,"x"]}\n')
    expect(inJson({ l: [1, null, 'x'] })).toBe('{"l":[1,null,"x"]}\n')
  })

  it('writes - for what is absent, and nothing with omit_empty_values', () => {
    expect(inText('a %REQ(X-NONE)% b')).toBe('a - b')
    expect(inText('a %REQ(X-NONE)% b', entry(), true)).toBe('a  b')
  })

  it('joins response flags in the order in which they came', () => {
    expect(inText('%RESPONSE_FLAGS%', entry({ flags: new Set(['URX', 'UF']) }))).toBe('URX,UF')
  })

  it('spells response flags out', () => {
    expect(inText('%RESPONSE_FLAGS_LONG%', entry({ flags: new Set(['URX', 'UF']) }))).toBe(
      'UpstreamRetryLimitExceeded,UpstreamConnectionFailure',
    )
  })

  it('reads the query as it was sent', () => {
    const sent = entry({ path: '/p?a=1%20&b&a=2' })
    expect(inText('%QUERY_PARAM(a)% %QUERY_PARAM(b)% %QUERY_PARAM(c)% %QUERY_PARAMS%', sent)).toBe('1   - a=1%20&b&a=2')
  })

  it.each([
    ['of a trailer', 'application/grpc', { grpcStatus: '7' }, 'PermissionDenied PERMISSION_DENIED 7 7'],
    ['without a name', 'application/grpc+proto', { grpcStatus: '77' }, '77 77 77 77'],
    ['that is no number', 'application/grpc', { grpcStatus: 'x' }, '-1 -1 -1 -1'],
    ['of the HTTP status', 'application/grpc', { status: 503 }, 'Unavailable UNAVAILABLE 14 14'],
    ['of the HTTP status 200', 'application/grpc', {}, 'Unknown UNKNOWN 2 2'],
    ['of a type with a parameter, which is none of gRPC', 'application/grpc;x', {}, '- - - -'],
    ['of no answer', 'application/grpc', { status: 0 }, '- - - -'],
    ['of a request that is no gRPC', 'application/grpcfoo', { grpcStatus: '0' }, '- - - -'],
  ])('tells the gRPC status %s', (_, type, change, want) => {
    const all = '%GRPC_STATUS% %GRPC_STATUS(SNAKE_STRING)% %GRPC_STATUS(NUMBER)% %GRPC_STATUS_NUMBER%'
    expect(inText(all, entry(change, [['content-type', type]]))).toBe(want)
  })

  it('reads header octets as UTF-8', () => {
    expect(inText('%REQ(X-NAME)%', entry({}, [['x-name', 'z\u00c3\u00bc']]))).toBe('zü')
  })

  it("knows Istio's default format", () => {
    const format =
      '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n'
    expect(inText(format)).toBe(
      '[2026-11-21T06:07:08.009Z] "GET /old?x=1 HTTP/1.1" 200 - via_upstream - "-" 3 1234 12 11 "-" "curl/8" "req-1" "web.example:8080" "10.0.0.7:8080" outbound|80||web 10.0.0.1:5000 [::1]:80 10.0.0.1:4711 web.example default\n',
    )
  })

  it("compiles Envoy's default format", () => {
    expect(inText(DEFAULT_TEXT_FORMAT)).toMatch(
      /^\[2026-.*\] "GET \/old\?x=1 HTTP\/1\.1" 200 - 3 1234 12 11 "-" "curl\/8" "req-1" "web\.example:8080" "10\.0\.0\.7:8080"\n$/,
    )
  })
})

describe('JSON', () => {
  it('sorts keys, keeps the type of a single operator, and ends the line', () => {
    expect(
      inJson({
        b: '%RESPONSE_CODE%',
        a: 'code %RESPONSE_CODE%',
        meta: '%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:payload)%',
      }),
    ).toBe('{"a":"code 200","b":200,"meta":{"sub":"me"}}\n')
  })

  it('has null for what is absent, - inside other text, no key with omit_empty_values', () => {
    const format = {
      none: '%REQ(X-NONE)%',
      text: 'a %REQ(X-NONE)% b',
      inner: { none: '%REQ(X-NONE)%', flags: '%RESPONSE_FLAGS%' },
    }
    expect(inJson(format)).toBe('{"inner":{"flags":"-","none":null},"none":null,"text":"a - b"}\n')
    expect(inJson(format, entry(), true)).toBe('{"inner":{"flags":"-"},"text":"a  b"}\n')
  })

  it('takes lists and plain values', () => {
    expect(inJson({ list: ['%PROTOCOL%', '%REQ(X-NONE)%'], fixed: 1 })).toBe('{"fixed":1,"list":["HTTP/1.1",null]}\n')
  })
})

describe('what is refused', () => {
  it.each([
    ['%NO_SUCH_THING%', /NO_SUCH_THING/],
    ['100%', /Column 4/],
    ['%REQ()%', /header name/],
    ['%REQ(a?b?c)%', /header name/],
    ['%PROTOCOL(x)%', /takes no argument/],
    ['%PROTOCOL:3%', /%PROTOCOL% has no length to cut: found :3/],
    ['%START_TIME(%s):3%', /has no length/],
    ['%GRPC_STATUS(x)%', /CAMEL_STRING/],
  ])('%s', (format, message) => {
    const compiled = compileTextFormat(format, 'access_log[0].format', { omitEmptyValues: false })
    expect(compiled.ok).toBe(false)
    expect(compiled.diagnostics[0]).toMatchObject({
      code: 'log.format',
      path: 'access_log[0].format',
      message: expect.stringMatching(message),
    })
  })

  it('tells the key of a JSON format', () => {
    const compiled = compileJsonFormat({ a: { b: '%NOPE%' } }, 'json_format', { omitEmptyValues: false })
    expect(compiled.diagnostics[0]?.path).toBe('json_format.a.b')
  })
})
