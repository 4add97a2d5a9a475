import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createProxy, type ProxyServer } from '@heddle/proxy-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeWith } from '../src/cell.js'
import { descriptorSet } from '../src/descriptor-set.js'
import { type RunningEnvoy, startEnvoy } from '../src/envoy.js'
import { freePorts } from '../src/free-ports.js'
import { type L7Services, startL7Services } from '../src/l7-services.js'
import { findEnvoy } from '../src/tools.js'

// The same bootstrap, calls and services: what stock Envoy answers, and asks, is what our proxy must.
const tool = findEnvoy()
const TYPE = 'type.googleapis.com/envoy.extensions'
const TIMEOUT_MS = 60_000
const at = (port: number) => ({ socket_address: { address: '127.0.0.1', port_value: port } })

const BOOK = [
  { name: 'title', number: 1, type: 9 },
  { name: 'id', number: 2, type: 3 },
  { name: 'sold_out', number: 3, type: 8 },
  { name: 'tags', number: 4, type: 9, repeated: true },
  { name: 'kind', number: 5, type: 14, typeName: '.test.Kind' },
  { name: 'next', number: 6, type: 11, typeName: '.test.Book' },
  { name: 'counts', number: 7, type: 11, repeated: true, typeName: '.test.Book.CountsEntry' },
  { name: 'price', number: 8, type: 1 },
  { name: 'cover', number: 9, type: 12 },
  { name: 'small', number: 10, type: 5 },
  { name: 'numbers', number: 11, type: 5, repeated: true },
]
const ENTRY = {
  name: 'CountsEntry',
  isMapEntry: true,
  fields: [BOOK[0]!, BOOK[9]!].map((field, i) => ({ ...field, name: ['key', 'value'][i]!, number: i + 1 })),
}
const CALL = { input: '.test.Book', output: '.test.Book' }
const DESCRIPTORS = descriptorSet(
  'Library',
  [
    {
      ...{ name: 'Echo', ...CALL },
      rules: [
        { verb: 'POST', path: '/v1/books', body: '*' },
        { verb: 'GET', path: '/v1/books/{title}' },
        { verb: 'PUT', path: '/v1/books/{id}', body: 'next' },
        { verb: 'GET', path: '/v1/{title=shelves/*/books/*}' },
        { verb: 'POST', path: '/v1/books/{title}:sell', body: '*' },
        { verb: 'DELETE', path: '/v1/books/{next.title}/deep/{id}' },
      ],
    },
    { ...{ name: 'Stream', ...CALL }, serverStreaming: true, rules: [{ verb: 'GET', path: '/v1/stream/{title}' }] },
    { ...{ name: 'Upload', ...CALL }, clientStreaming: true, rules: [{ verb: 'POST', path: '/v1/upload', body: '*' }] },
  ],
  [{ name: 'Book', fields: BOOK, nested: [ENTRY] }],
  'Kind',
  ['PLAIN', 'HARD_COVER'],
)

const manager = (prefix: string, virtual_hosts: object[], filter: object) => ({
  '@type': `${TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
  stat_prefix: prefix,
  route_config: { virtual_hosts },
  http_filters: [
    filter,
    { name: 'envoy.filters.http.router', typed_config: { '@type': `${TYPE}.filters.http.router.v3.Router` } },
  ],
})
const transcoder = (options: object) => ({
  name: 'envoy.filters.http.grpc_json_transcoder',
  typed_config: {
    '@type': `${TYPE}.filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder`,
    proto_descriptor_bin: DESCRIPTORS.toString('base64'),
    services: ['test.Library'],
    ...options,
  },
})
const rls = (options: object) => ({
  name: 'envoy.filters.http.ratelimit',
  typed_config: {
    '@type': `${TYPE}.filters.http.ratelimit.v3.RateLimit`,
    domain: 'test',
    // Nobody of these is slow but a busy machine.
    timeout: '20s',
    rate_limit_service: { transport_api_version: 'V3', grpc_service: { envoy_grpc: { cluster_name: 'grpc' } } },
    ...options,
  },
})
const key = (descriptor_value: string, descriptor_key?: string) => ({
  generic_key: { descriptor_value, ...(descriptor_key && { descriptor_key }) },
})
const limited = (prefix: string, ...rate_limits: object[]) => ({ match: { prefix }, route: { cluster: 'app', rate_limits } })

const ROUTES = [
  limited('/key', { actions: [key('plain'), key('named', 'my_key')] }),
  limited('/header', { actions: [{ request_headers: { header_name: 'x-user', descriptor_key: 'user' } }] }),
  limited('/skip', {
    actions: [key('a'), { request_headers: { header_name: 'x-user', descriptor_key: 'user', skip_if_absent: true } }],
  }),
  limited('/clusters', { actions: [{ source_cluster: {} }, { destination_cluster: {} }] }),
  limited('/remote', { actions: [{ remote_address: {} }] }),
  limited('/masked', { actions: [{ masked_remote_address: { v4_prefix_mask_len: 16 } }] }),
  limited('/match', {
    actions: [{ header_value_match: { descriptor_value: 'm', headers: [{ name: 'x-user', string_match: { exact: 'ann' } }] } }],
  }),
  limited('/unless', {
    actions: [
      { header_value_match: { descriptor_value: 'm', expect_match: false, headers: [{ name: 'x-user', present_match: true }] } },
    ],
  }),
  limited('/query', {
    actions: [
      { query_parameter_value_match: { descriptor_value: 'q', query_parameters: [{ name: 'a', string_match: { exact: '1' } }] } },
    ],
  }),
  {
    match: { prefix: '/metadata' },
    metadata: { filter_metadata: { ns: { who: { name: 'me' } } } },
    route: {
      cluster: 'app',
      rate_limits: [
        {
          actions: [
            {
              metadata: {
                descriptor_key: 'm',
                source: 'ROUTE_ENTRY',
                metadata_key: { key: 'ns', path: [{ key: 'who' }, { key: 'name' }] },
              },
            },
          ],
        },
        {
          actions: [
            { metadata: { descriptor_key: 'm', default_value: 'none', metadata_key: { key: 'ns', path: [{ key: 'who' }] } } },
          ],
        },
      ],
    },
  },
  limited('/two', { actions: [key('one')] }, { actions: [key('two')] }, { stage: 1, actions: [key('other stage')] }),
  { match: { prefix: '/host' }, route: { cluster: 'app' } },
  {
    match: { prefix: '/both' },
    route: { cluster: 'app', include_vh_rate_limits: true, rate_limits: [{ actions: [key('own')] }] },
  },
  ...['over', 'over-body', 'broken', 'slow'].map((value) => limited(`/${value}/`, { actions: [key(value)] })),
  {
    match: { prefix: '/' },
    route: { cluster: 'app', rate_limits: [{ actions: [{ request_headers: { header_name: 'x-none', descriptor_key: 'n' } }] }] },
  },
]
const HOST = [{ name: 'all', domains: ['*'], routes: ROUTES, rate_limits: [{ actions: [key('host')] }] }]
const GRPC_HOST = [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'grpc' } }] }]

/** One listener for each way to configure the filters. */
const LISTENERS = {
  transcode: () => manager('t', GRPC_HOST, transcoder({ auto_mapping: true })),
  strict: () =>
    manager(
      's',
      GRPC_HOST,
      transcoder({
        convert_grpc_status: true,
        print_options: {
          always_print_primitive_fields: true,
          preserve_proto_field_names: true,
          always_print_enums_as_ints: true,
        },
        request_validation_options: { reject_unknown_method: true, reject_unknown_query_parameters: true },
      }),
    ),
  lines: () => manager('l', GRPC_HOST, transcoder({ print_options: { stream_newline_delimited: true } })),
  rls: () => manager('r', HOST, rls({ enable_x_ratelimit_headers: 'DRAFT_VERSION_03' })),
  denies: () =>
    manager('d', HOST, rls({ failure_mode_deny: true, rate_limited_status: { code: 'ServiceUnavailable' }, timeout: '1s' })),
  shadow: () => manager('h', HOST, rls({ filter_enforced: { default_value: { numerator: 0 } } })),
  disabled: () => manager('x', HOST, rls({ filter_enabled: { default_value: { numerator: 0 } } })),
}
type Listener = keyof typeof LISTENERS

interface Call {
  readonly to: Listener
  readonly path: string
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
  /** Texts that are the parser's own. */
  readonly anyText?: boolean
}
const book = (value: object): string => JSON.stringify(value)
const CALLS: readonly Call[] = [
  {
    to: 'transcode',
    path: '/v1/books',
    method: 'POST',
    body: book({ title: 'Moby', id: '12', soldOut: true, tags: ['a', 'b'], kind: 'HARD_COVER' }),
  },
  {
    to: 'transcode',
    path: '/v1/books',
    method: 'POST',
    body: book({ sold_out: true, next: { title: 'x', next: { id: 1 } }, price: 1.25 }),
  },
  {
    to: 'transcode',
    path: '/v1/books',
    method: 'POST',
    body: book({ counts: { a: 1 }, cover: 'AQID', small: -5, numbers: [1, 2, -3] }),
  },
  { to: 'transcode', path: '/v1/books', method: 'POST', body: book({ unknown: 1, title: 'known' }) },
  { to: 'transcode', path: '/v1/books', method: 'POST', body: book({ title: 'é "quoted" \n\u0001' }) },
  { to: 'transcode', path: '/v1/books', method: 'POST', body: '{}' },
  { to: 'transcode', path: '/v1/books', method: 'POST', body: '{bad', anyText: true },
  { to: 'transcode', path: '/v1/books', method: 'POST', body: book({ id: 'no number' }), anyText: true },
  { to: 'transcode', path: '/v1/books/Moby%20Dick?id=5&tags=a&tags=b&kind=HARD_COVER&next.title=n' },
  { to: 'transcode', path: '/v1/books/7', method: 'PUT', body: book({ title: 'inner' }) },
  { to: 'transcode', path: '/v1/shelves/one/books/two' },
  { to: 'transcode', path: '/v1/books/Moby:sell', method: 'POST', body: book({ id: 3 }) },
  { to: 'transcode', path: '/v1/books/deeper/deep/9', method: 'DELETE' },
  { to: 'transcode', path: '/v1/books/x', headers: { 'x-fail': '5' } },
  { to: 'transcode', path: '/v1/books/x', headers: { 'x-fail': '16' } },
  { to: 'transcode', path: '/v1/books/x', headers: { 'x-fail': '14' } },
  { to: 'transcode', path: '/v1/stream/s' },
  { to: 'transcode', path: '/v1/stream/s', headers: { 'x-count': '0' } },
  { to: 'transcode', path: '/v1/stream/s', headers: { 'x-count': '0', 'x-fail': '7' } },
  { to: 'transcode', path: '/v1/upload', method: 'POST', body: '[{"title":"a"},{"title":"b"}]' },
  { to: 'lines', path: '/v1/stream/s' },
  { to: 'strict', path: '/v1/books/x' },
  { to: 'strict', path: '/v1/books/x', headers: { 'x-fail': '5' } },
  { to: 'strict', path: '/v1/books/x?nothing=1' },
  { to: 'strict', path: '/elsewhere', anyText: true },
  { to: 'rls', path: '/key' },
  { to: 'rls', path: '/header', headers: { 'x-user': 'ann' } },
  { to: 'rls', path: '/header' },
  { to: 'rls', path: '/skip' },
  { to: 'rls', path: '/clusters' },
  { to: 'rls', path: '/remote' },
  { to: 'rls', path: '/masked' },
  { to: 'rls', path: '/match', headers: { 'x-user': 'ann' } },
  { to: 'rls', path: '/match', headers: { 'x-user': 'bob' } },
  { to: 'rls', path: '/unless' },
  { to: 'rls', path: '/query?a=1' },
  { to: 'rls', path: '/metadata' },
  { to: 'rls', path: '/two' },
  { to: 'rls', path: '/host' },
  { to: 'rls', path: '/both' },
  { to: 'rls', path: '/over/' },
  { to: 'rls', path: '/over-body/' },
  { to: 'rls', path: '/broken/' },
  { to: 'rls', path: '/none' },
  { to: 'denies', path: '/broken/' },
  { to: 'denies', path: '/slow/' },
  { to: 'denies', path: '/over/' },
  { to: 'shadow', path: '/over/' },
  { to: 'disabled', path: '/over/' },
]

interface Peer {
  readonly ports: Readonly<Record<Listener, number>>
  close(): Promise<void>
}

describeWith(tool, 'transcoding and rate limits, beside Envoy', () => {
  let services: L7Services
  let app: Server
  let ours: Peer
  let theirs: Peer

  beforeAll(async () => {
    services = await startL7Services()
    app = createServer((request, response) => response.end(`app ${request.headers['x-from-rls'] ?? '-'}`))
    await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
    const to = { grpc: services.port, app: (app.address() as AddressInfo).port }
    ;[ours, theirs] = await Promise.all([startOurs(to), startTheirs(to)])
  }, TIMEOUT_MS)

  afterAll(async () => {
    await Promise.all([ours?.close(), theirs?.close()])
    services?.close()
    app?.close()
  }, TIMEOUT_MS)

  describe('the same answer', () => {
    test.each(CALLS.map((call, i) => [`${i} ${call.to} ${call.method ?? 'GET'} ${call.path} ${call.body ?? ''}`, call] as const))(
      '%s',
      async (_, call) => {
        const want = await answerOf(theirs, call, services)
        expect(await answerOf(ours, call, services)).toEqual(want)
      },
    )
  })
})

const COMPARED = /^(content-type|content-length|grpc-|x-ratelimit|x-envoy-ratelimited|x-from-rls)/

async function answerOf(
  { ports }: Peer,
  { to, path, method = 'GET', headers = {}, body, anyText = false }: Call,
  services: L7Services,
) {
  const before = services.asked.length
  const answer = await fetch(`http://127.0.0.1:${ports[to]}${path}`, {
    method,
    headers: { ...headers, connection: 'close', ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body }),
  })
  const text = await answer.text()
  const shown = [...answer.headers].filter(([name]) => COMPARED.test(name) && !(anyText && name === 'content-length'))
  return {
    status: answer.status,
    headers: Object.fromEntries(shown),
    ...(!anyText && { text }),
    asked: services.asked.slice(before),
  }
}

function bootstrapOf(ports: readonly number[], to: { grpc: number; app: number }): object {
  const names = Object.keys(LISTENERS) as Listener[]
  const cluster = (name: string, port: number, rest: object = {}) => ({
    ...{ name, connect_timeout: '20s', ...rest },
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address: at(port) } }] }] },
  })
  const options = {
    '@type': `${TYPE}.upstreams.http.v3.HttpProtocolOptions`,
    explicit_http_config: { http2_protocol_options: {} },
  }
  return {
    node: { id: 'l7', cluster: 'l7-node' },
    static_resources: {
      listeners: names.map((name, i) => ({
        ...{ name, address: at(ports[i]!) },
        filter_chains: [{ filters: [{ name: 'http', typed_config: LISTENERS[name]() }] }],
      })),
      clusters: [
        cluster('grpc', to.grpc, {
          typed_extension_protocol_options: { 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': options },
        }),
        cluster('app', to.app),
      ],
    },
  }
}

const portsOf = (ports: readonly number[]): Peer['ports'] =>
  Object.fromEntries(Object.keys(LISTENERS).map((name, i) => [name, ports[i]])) as Peer['ports']

async function startOurs(to: { grpc: number; app: number }): Promise<Peer> {
  const ports = await freePorts(Object.keys(LISTENERS).length)
  const proxy: ProxyServer = createProxy({ bootstrap: bootstrapOf(ports, to) as never, drainTimeMs: 0 })
  await proxy.start()
  return { ports: portsOf(ports), close: () => proxy.close() }
}

async function startTheirs(to: { grpc: number; app: number }): Promise<Peer> {
  const ports = await freePorts(Object.keys(LISTENERS).length)
  const running: RunningEnvoy = await startEnvoy(tool, bootstrapOf(ports, to))
  return { ports: portsOf(ports), close: () => running.close() }
}
