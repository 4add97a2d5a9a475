import { createFakeClock, createSeededRandom } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import { createMemoryNetwork } from './net/memory.js'
import { createProxy } from './proxy.js'

/** What an HTTP manager answers and sends on, as text on the wire, where Envoy's way is not the obvious one. */

const EXTENSIONS = 'type.googleapis.com/envoy.extensions'
const at = (port_value: number): object => ({ socket_address: { address: '127.0.0.1', port_value } })

interface Played {
  readonly answer: string
  /** Requests to the upstream, in turn. */
  readonly sent: readonly string[]
  /** Of the access log: type and status. */
  readonly lines: readonly string[]
  stat(name: string, ...labels: string[]): number
}

interface Scene {
  readonly manager?: object
  readonly table?: object
  readonly routes?: readonly object[]
  /** Of the listener. */
  readonly drainType?: string
  /** What the admin page was told before. */
  readonly told?: string
  /** One a request. */
  readonly answers?: readonly string[]
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi'
const AGREED = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'
const get = (path: string, lines = ''): string => `GET ${path} HTTP/1.1\r\nhost: h\r\n${lines}\r\n`

async function play(request: string, scene: Scene): Promise<Played> {
  const network = createMemoryNetwork()
  const clock = createFakeClock()
  const sent: string[] = []
  const lines: string[] = []
  await network.listen({ address: { address: '127.0.0.1', port: 9000 } }, (connection) => {
    const onData = (bytes: Uint8Array): void => {
      sent.push(Buffer.from(bytes).toString('latin1'))
      connection.write(Buffer.from(scene.answers?.[sent.length - 1] ?? OK))
    }
    connection.handle({ onData, onEnd: () => connection.end(), onDrain() {}, onClose() {} })
  })
  const routes = scene.routes ?? [{ match: { prefix: '/' }, route: { cluster: 'app' } }]
  const http = {
    '@type': `${EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'in',
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes }], ...scene.table },
    http_filters: [{ name: 'router', typed_config: { '@type': `${EXTENSIONS}.filters.http.router.v3.Router` } }],
    access_log: [
      {
        name: 'log',
        typed_config: {
          '@type': `${EXTENSIONS}.access_loggers.stream.v3.StdoutAccessLog`,
          log_format: { text_format_source: { inline_string: '%ACCESS_LOG_TYPE% %RESPONSE_CODE%' } },
        },
      },
    ],
    ...scene.manager,
  }
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: at(9000) } }] }]
  const proxy = createProxy({
    bootstrap: {
      static_resources: {
        listeners: [
          {
            name: 'in',
            address: at(80),
            drain_type: scene.drainType,
            filter_chains: [{ filters: [{ name: 'http', typed_config: http }] }],
          },
        ],
        clusters: [{ name: 'app', load_assignment: { cluster_name: 'app', endpoints } }, { name: 'nobody' }],
      },
    },
    accessLogSinks: () => ({ write: (line) => void lines.push(line) }),
    ...{ network, clock, random: createSeededRandom(1), lookup: () => Promise.resolve([]) },
  })
  await proxy.start()
  if (scene.told !== undefined) proxy.answerAdmin('POST', scene.told)
  let answer = ''
  const client = await network.connect({ address: { address: '127.0.0.1', port: 80 }, timeoutMs: 0 })
  const onData = (bytes: Uint8Array): void => void (answer += Buffer.from(bytes).toString('latin1'))
  client.handle({ onData, onEnd: () => client.end(), onDrain() {}, onClose() {} })
  client.write(Buffer.from(request, 'latin1'))
  for (let i = 0; i < 4; i++) await clock.advanceAsync(100)
  client.destroy()
  await proxy.close()
  const stat = (name: string, ...labels: string[]): number => {
    const family = [...proxy.stats.families()].find((each) => each.name === name)
    for (const [values, metric] of family?.series() ?? [])
      if (labels.every((label) => values.includes(label))) return (metric as unknown as { value: number }).value
    return 0
  }
  return { answer, sent, lines, stat }
}

const direct = (status: number): object => ({ match: { prefix: '/' }, direct_response: { status } })

describe('requests', () => {
  it('a QUERY says what its content is, or is refused (RFC 10008)', async () => {
    const bare = await play('QUERY / HTTP/1.1\r\nhost: h\r\n\r\n', {})
    expect(bare.answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\n(.*\r\n)*connection: close/)
    const typed = await play('QUERY / HTTP/1.1\r\nhost: h\r\ncontent-type: a/b\r\ncontent-length: 0\r\n\r\n', {})
    expect(typed.sent[0]).toContain('QUERY / HTTP/1.1')
  })

  it('an empty Host is a host, a missing one is none', async () => {
    expect((await play('GET / HTTP/1.1\r\nhost:\r\n\r\n', {})).answer).toContain(' 200 OK')
    expect((await play('GET / HTTP/1.1\r\n\r\n', {})).answer).toContain(' 400 Bad Request')
  })

  it('100 Continue goes out before anything is decided', async () => {
    const request = 'POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\n'
    const { answer } = await play(request, { routes: [direct(403)] })
    expect(answer).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 403 Forbidden/)
  })

  it('internal_only_headers are taken off whatever is not internal, with use_remote_address or without', async () => {
    const table = { internal_only_headers: ['x-inside'] }
    expect((await play(get('/', 'x-inside: 1\r\n'), { table })).sent[0]).not.toContain('x-inside')
  })

  it('early_header_mutation_extensions come before routes, client addresses and request ids', async () => {
    const set = (key: string, value: string): object => ({
      append: { header: { key, value }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' },
    })
    const mutations = [set('x-route', 'b'), set('x-request-id', 'mine'), set('x-seen', '%REQ(:path)%'), { remove: 'x-old' }]
    const early = (list: readonly object[]): object => ({
      early_header_mutation_extensions: [
        {
          name: 'early',
          typed_config: {
            '@type': 'type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation',
            mutations: list,
          },
        },
      ],
    })
    const headers = [{ name: 'x-route', string_match: { exact: 'b' } }]
    const routes = [{ match: { prefix: '/', headers }, route: { cluster: 'app' } }, direct(404)]
    const { sent } = await play(get('/p', 'x-route: a\r\nx-old: 1\r\n'), { routes, manager: early(mutations) })
    expect(sent[0]).toMatch(/x-request-id: mine\r\n/)
    expect(sent[0]).toMatch(/x-seen: \/p\r\n/)
    expect(sent[0]).not.toContain('x-old')
    await expect(play(get('/'), { manager: early([set(':path', '/other')]) })).rejects.toThrow(/:path may not be changed/)
  })

  it('a route changes a request that knows its timeout already', async () => {
    const request_headers_to_remove = ['x-envoy-expected-rq-timeout-ms']
    const value = '%REQ(x-envoy-expected-rq-timeout-ms)%'
    const route = { match: { prefix: '/' }, route: { cluster: 'app' } }
    const removed = await play(get('/'), { routes: [{ ...route, request_headers_to_remove }] })
    expect(removed.sent[0]).not.toContain('x-envoy-expected')
    const told = await play(get('/'), { routes: [{ ...route, request_headers_to_add: [{ header: { key: 'x-t', value } }] }] })
    expect(told.sent[0]).toContain('x-t: 15000')
  })
})

it("silence is the client's fault while its request is not whole", async () => {
  const manager = { stream_idle_timeout: '0.1s' }
  const half = 'POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nab'
  expect((await play(half, { manager, answers: [''] })).answer).toContain(' 408 Request Timeout')
  expect((await play(get('/'), { manager, answers: [''] })).answer).toContain(' 504 Gateway Timeout')
})

it('x-envoy-force-trace has the request id told', async () => {
  const manager = { use_remote_address: false }
  expect((await play(get('/', 'x-request-id: own\r\n'), { manager })).answer).not.toContain('x-request-id')
  const internal_address_config = { cidr_ranges: [{ address_prefix: '127.0.0.0', prefix_len: 8 }] }
  const lines = 'x-envoy-force-trace: 1\r\nx-request-id: own\r\nx-forwarded-for: 127.0.0.1\r\n'
  expect((await play(get('/', lines), { manager: { internal_address_config } })).answer).toContain('x-request-id: own')
})

describe('answers of the proxy', () => {
  it('end the connection while health checks are to fail, unless drain_type is MODIFY_ONLY', async () => {
    const closes = async (scene: Scene): Promise<boolean> => (await play(get('/'), scene)).answer.includes('connection: close')
    const told = '/healthcheck/fail'
    expect(await closes({ told })).toBe(true)
    expect(await closes({ told, drainType: 'MODIFY_ONLY' })).toBe(false)
    expect(await closes({ told: '/healthcheck/ok' })).toBe(false)
  })

  it('400 ends the connection, whoever says it', async () => {
    expect((await play(get('/'), { routes: [direct(400)] })).answer).toContain('connection: close')
    expect((await play(get('/'), { routes: [direct(401)] })).answer).not.toContain('connection: close')
  })

  it('%LOCAL_REPLY_BODY% of a body_format is the body beside it', async () => {
    const direct_response = {
      status: 200,
      body: { inline_string: 'inner' },
      body_format: { text_format_source: { inline_string: '<%LOCAL_REPLY_BODY%>' } },
    }
    expect((await play(get('/'), { routes: [{ match: { prefix: '/' }, direct_response }] })).answer).toMatch(/<inner>$/)
  })
})

it('a CONNECT that nobody allows is 403, whatever its route would answer, and 404 without one', async () => {
  const connect = 'CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n'
  const answers = [{ match: { connect_matcher: {} }, direct_response: { status: 200 } }]
  expect((await play(connect, { routes: answers })).answer).toContain(' 403 Forbidden')
  expect((await play(connect, { routes: [direct(200)] })).answer).toContain(' 404 Not Found')
})

it('an answer for want of an endpoint counts as one of the cluster', async () => {
  const { answer, stat } = await play(get('/'), { routes: [{ match: { prefix: '/' }, route: { cluster: 'nobody' } }] })
  expect(answer).toContain(' 503 Service Unavailable')
  expect(stat('envoy_cluster_upstream_rq', 'nobody', '503')).toBe(1)
})

describe('answers of filters', () => {
  const filter = (name: string, config: object): object => ({
    name,
    typed_config: { '@type': `${EXTENSIONS}.filters.http.${name}`, ...config },
  })
  const router = filter('router.v3.Router', {})
  const abort = filter('fault.v3.HTTPFault', { abort: { http_status: 503, percentage: { numerator: 100 } } })
  const add = (key: string, value: string): object => ({ header: { key, value } })
  const table = { response_headers_to_add: [add('x-table', 't'), add('x-why', '%RESPONSE_CODE_DETAILS% %RESPONSE_CODE%')] }

  it("have the route's response headers, whose formatters see no status yet", async () => {
    const { answer } = await play(get('/'), { table, manager: { http_filters: [abort, router] } })
    expect(answer).toContain(' 503 Service Unavailable')
    expect(answer).toContain('x-table: t\r\nx-why: fault_filter_abort 0\r\n')
  })

  it('of a preflight are those of CORS alone', async () => {
    const policy = { '@type': `${EXTENSIONS}.filters.http.cors.v3.CorsPolicy`, allow_origin_string_match: [{ prefix: 'https' }] }
    const route = { match: { prefix: '/' }, route: { cluster: 'app' }, typed_per_filter_config: { 'cors.v3.Cors': policy } }
    const lines = 'origin: https://a\r\naccess-control-request-method: GET\r\n'
    const preflight = `OPTIONS / HTTP/1.1\r\nhost: h\r\n${lines}\r\n`
    const { answer } = await play(preflight, {
      table,
      routes: [route],
      manager: { http_filters: [filter('cors.v3.Cors', {}), router] },
    })
    expect(answer).toContain('access-control-allow-origin: https://a')
    expect(answer).not.toContain('x-table')
  })
})

describe('the timeout of a route', () => {
  const routes = [{ match: { prefix: '/' }, route: { cluster: 'app', timeout: '0.2s' } }]
  const manager = { upgrade_configs: [{ upgrade_type: 'websocket' }] }
  const upgrade = get('/', 'connection: upgrade\r\nupgrade: websocket\r\n')

  it('counts for an upgrade until it is agreed on', async () => {
    const { answer } = await play(upgrade, { routes, manager, answers: [''] })
    expect(answer).toContain(' 504 Gateway Timeout')
  })

  it('which is told in the log, where access_log_options asks for it', async () => {
    const { lines } = await play(upgrade, {
      ...{ routes, answers: [AGREED] },
      manager: { ...manager, access_log_options: { flush_log_on_tunnel_successfully_established: true } },
    })
    expect(lines[0]).toBe('DownstreamTunnelSuccessfullyEstablished 101')
  })

  it('and then no more', async () => {
    const { answer, stat } = await play(upgrade, { routes, manager, answers: [AGREED] })
    expect(answer).toContain(' 101 Switching Protocols')
    expect(stat('envoy_cluster_upstream_rq_timeout', 'app')).toBe(0)
  })
})

it('an answer that is tried again counts under retry, the last one under the cluster', async () => {
  const route = { cluster: 'app', retry_policy: { retry_on: '5xx', retry_back_off: { base_interval: '0.001s' } } }
  const busy = 'HTTP/1.1 503 X\r\ncontent-length: 0\r\n\r\n'
  const { stat } = await play(get('/'), { routes: [{ match: { prefix: '/' }, route }], answers: [busy, OK] })
  expect(stat('envoy_cluster_upstream_rq', 'app', '200')).toBe(1)
  expect(stat('envoy_cluster_upstream_rq', 'app', '503')).toBe(0)
  expect(stat('envoy_cluster_retry_upstream_rq', 'app', '503')).toBe(1)
})
