import { createFakeClock, createSeededRandom, type FakeClock } from '@heddle/runtime/testing'
import { expect, it } from 'vitest'
import type { Connection } from './net/connection.js'
import { createMemoryNetwork } from './net/memory.js'
import { createProxy } from './proxy.js'
import { OWN_CHAIN, OWN_KEY } from './testing-certificates.js'

/** When access logs of listeners, HTTP managers and TCP proxies are written, and what they count. */

const EXTENSIONS = 'type.googleapis.com/envoy.extensions'
const at = (port_value: number): object => ({ socket_address: { address: '127.0.0.1', port_value } })
const log = (format: string): object => ({
  access_log: [
    {
      typed_config: {
        '@type': `${EXTENSIONS}.access_loggers.file.v3.FileAccessLog`,
        path: '/log',
        log_format: { text_format_source: { inline_string: format } },
      },
    },
  ],
})
const LISTENER = log(
  'listener %ACCESS_LOG_TYPE% flags=%RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% rx=%BYTES_RECEIVED% tx=%BYTES_SENT%',
)
const OWN = log('%ACCESS_LOG_TYPE% %DURATION% rx=%BYTES_RECEIVED% tx=%BYTES_SENT%')

const http = (extra: object = {}): object => ({
  '@type': `${EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
  stat_prefix: 'in',
  route_config: {
    virtual_hosts: [
      { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'app', timeout: '0s' } }] },
    ],
  },
  http_filters: [{ name: 'router', typed_config: { '@type': `${EXTENSIONS}.filters.http.router.v3.Router` } }],
  ...extra,
})
const tcp = (extra: object = {}): object => ({
  '@type': `${EXTENSIONS}.filters.network.tcp_proxy.v3.TcpProxy`,
  stat_prefix: 'tcp',
  cluster: 'app',
  ...extra,
})

interface Running {
  readonly clock: FakeClock
  readonly lines: string[]
  /** Connections to the app. */
  readonly app: Connection[]
  connect(): Promise<Connection>
}

async function run(filter: object, listener: object = {}, chain: object = {}): Promise<Running> {
  const network = createMemoryNetwork()
  const clock = createFakeClock()
  const lines: string[] = []
  const app: Connection[] = []
  await network.listen({ address: { address: '127.0.0.1', port: 9000 } }, (connection) => {
    app.push(connection)
    const quiet = { onData() {}, onEnd: () => connection.end(), onDrain() {}, onClose() {} }
    connection.handle(quiet)
  })
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: at(9000) } }] }]
  const proxy = createProxy({
    bootstrap: {
      static_resources: {
        listeners: [
          {
            name: 'in',
            address: at(80),
            filter_chains: [{ filters: [{ name: 'f', typed_config: filter }], ...chain }],
            ...listener,
          },
        ],
        clusters: [{ name: 'app', load_assignment: { cluster_name: 'app', endpoints } }],
      },
    },
    ...{ network, clock, random: createSeededRandom(1), lookup: () => Promise.resolve([]) },
    accessLogSinks: () => ({ write: (line) => lines.push(line) }),
  })
  await proxy.start()
  return {
    ...{ clock, lines, app },
    async connect() {
      const client = await network.connect({ address: { address: '127.0.0.1', port: 80 }, timeoutMs: 0 })
      client.handle({ onData() {}, onEnd: () => client.end(), onDrain() {}, onClose() {} })
      return client
    },
  }
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')
const REQUEST = 'GET / HTTP/1.1\r\nhost: app\r\n\r\n'
const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi'

it('a listener tells of an HTTP connection when it ends, with the bytes of all its requests', async () => {
  const { clock, lines, app, connect } = await run(http(), LISTENER)
  const client = await connect()
  client.write(bytes(REQUEST))
  await clock.advanceAsync(1)
  app[0]!.write(bytes(ANSWER))
  await clock.advanceAsync(1)
  expect(lines).toEqual([])
  const sent = client.bytesReceived
  client.destroy()
  await clock.advanceAsync(1)
  expect(lines).toEqual([`listener NotSet flags=- - rx=${REQUEST.length} tx=${sent}`])
  expect(sent).toBeGreaterThan(ANSWER.length)
})

it('a listener tells of a connection that no filter chain takes', async () => {
  const { clock, lines, connect } = await run(http(), LISTENER, { filter_chain_match: { destination_port: 81 } })
  await connect()
  await clock.advanceAsync(1)
  expect(lines).toEqual(['listener NotSet flags=NR filter_chain_not_found rx=0 tx=0'])
})

it('an HTTP manager writes lines before the end where it is told to', async () => {
  const options = { access_log_flush_interval: '1s', flush_access_log_on_new_request: true }
  const { clock, lines, app, connect } = await run(http({ ...OWN, access_log_options: options }))
  const client = await connect()
  client.write(bytes('POST / HTTP/1.1\r\nhost: app\r\ncontent-length: 9\r\n\r\nabc'))
  await clock.advanceAsync(0)
  await clock.advanceAsync(1000)
  client.write(bytes('defghi'))
  await clock.advanceAsync(1000)
  app[0]!.write(bytes(ANSWER))
  await clock.advanceAsync(5000)
  expect(lines).toEqual([
    'DownstreamStart 0 rx=0 tx=0',
    'DownstreamPeriodic 1000 rx=3 tx=0',
    'DownstreamPeriodic 2000 rx=9 tx=0',
    'DownstreamEnd 2000 rx=9 tx=2',
  ])
})

it('a TCP proxy does so, too', async () => {
  const options = { access_log_flush_interval: '1s', flush_access_log_on_connected: true, flush_access_log_on_start: true }
  const { clock, lines, connect } = await run(tcp({ ...OWN, access_log_options: options }), LISTENER)
  const client = await connect()
  await clock.advanceAsync(0)
  client.write(bytes('hello'))
  await clock.advanceAsync(1000)
  client.destroy()
  await clock.advanceAsync(5000)
  expect(lines.slice(0, 3)).toEqual([
    'TcpConnectionStart 0 rx=0 tx=0',
    'TcpUpstreamConnected 0 rx=0 tx=0',
    'TcpPeriodic 1000 rx=5 tx=0',
  ])
  expect(lines.slice(3).sort()).toEqual(['TcpConnectionEnd 1000 rx=5 tx=0', 'listener NotSet flags=- - rx=5 tx=0'])
})

const REASONS = log('%DOWNSTREAM_LOCAL_CLOSE_REASON% %UPSTREAM_LOCAL_CLOSE_REASON% flags=%RESPONSE_FLAGS%')
const TCP = tcp(REASONS)
const behind = (message: string, config: object): object => ({
  filters: [
    { name: 'gate', typed_config: { '@type': `${EXTENSIONS}.filters.network.${message}`, stat_prefix: 'gate', ...config } },
    { name: 'tcp', typed_config: TCP },
  ],
})
/** Its certificate comes when the first client does, who says nothing. */
const TLS = {
  name: 'tls',
  typed_config: {
    '@type': `${EXTENSIONS}.transport_sockets.tls.v3.DownstreamTlsContext`,
    common_tls_context: {
      tls_certificates: [{ certificate_chain: { inline_string: OWN_CHAIN }, private_key: { inline_string: OWN_KEY } }],
    },
  },
}
const bucket = { max_tokens: 1, tokens_per_fill: 1, fill_interval: '60s' }
const everybody = { permissions: [{ any: true }], principals: [{ any: true }] }
const keepalive = { connection_keepalive: { interval: '1s', timeout: '1s' } }
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0'
const LAST_REQUEST = 'GET / HTTP/1.1\r\nhost: app\r\nconnection: close\r\n\r\n'

/** `says`: of a second client, which closes nothing by itself. */
const CLOSED: readonly [of: string, reason: string, proxy: Parameters<typeof run>, says: string][] = [
  [
    'a TCP session without traffic',
    'tcp_session_idle_timeout tcp_session_idle_timeout flags=-',
    [tcp({ ...REASONS, idle_timeout: '1s' })],
    '',
  ],
  [
    'an old TCP session',
    'max_connection_duration_reached max_connection_duration_reached flags=DT',
    [tcp({ ...REASONS, max_downstream_connection_duration: '1s' })],
    '',
  ],
  ['a TCP session without a cluster', 'tcp_initializion_failure:3 - flags=NC', [tcp({ ...REASONS, cluster: 'other' })], ''],
  [
    'a connection where one may be',
    'over_connection_limit - flags=-',
    [{}, {}, behind('connection_limit.v3.ConnectionLimit', { max_connections: 1 })],
    '',
  ],
  [
    'a connection within a minute',
    'local_ratelimit_close_over_limit - flags=URX',
    [{}, {}, behind('local_ratelimit.v3.LocalRateLimit', { token_bucket: bucket })],
    '',
  ],
  [
    'a connection that a rule denies',
    'rbac_deny_close - flags=-',
    [{}, {}, behind('rbac.v3.RBAC', { rules: { action: 'DENY', policies: { everybody } } })],
    '',
  ],
  [
    'a connection that nobody can be asked about',
    'ext_authz_close - flags=UAEX',
    [{}, {}, behind('ext_authz.v3.ExtAuthz', { grpc_service: { envoy_grpc: { cluster_name: 'nobody' } } })],
    '',
  ],
  [
    'a connection without a handshake',
    'transport_socket_timeout - flags=-',
    [tcp(), REASONS, { transport_socket: TLS, transport_socket_connect_timeout: '1s' }],
    '',
  ],
  [
    'a connection without a request',
    'on_idle_timeout - flags=-',
    [http({ common_http_protocol_options: { idle_timeout: '1s' } }), REASONS],
    '',
  ],
  [
    'a connection that stays after its last answer',
    'triggered_delayed_close_timeout - flags=-',
    [http({ route_config: { virtual_hosts: [] } }), REASONS],
    LAST_REQUEST,
  ],
  [
    'a connection that answers no PING',
    'http2_ping_timeout - flags=-',
    [http({ codec_type: 'HTTP2', http2_protocol_options: keepalive }), REASONS],
    PREFACE,
  ],
]

// As stock Envoy 1.40 tells it.
it.each(CLOSED)('why the proxy closed %s: %s', async (_, reason, proxy, says) => {
  const { clock, lines, connect } = await run(...proxy)
  await connect()
  await clock.advanceAsync(1)
  const client = await connect()
  client.handle({ onData() {}, onEnd() {}, onDrain() {}, onClose() {} })
  client.write(bytes(says))
  for (let i = 0; i < 30; i++) await clock.advanceAsync(100)
  expect(lines.at(-1)).toBe(reason)
})

it('a connection of HTTP/1 that is too old goes at once, or after its next answer with http1_safe_max_connection_duration', async () => {
  const options = { common_http_protocol_options: { max_connection_duration: '1s' }, route_config: { virtual_hosts: [] } }
  const closed = async (extra: object): Promise<{ lines: readonly string[]; again: () => Promise<string> }> => {
    const { clock, lines, connect } = await run(http({ ...options, ...extra }), LISTENER)
    const client = await connect()
    let heard = ''
    const onData = (data: Uint8Array): void => void (heard += Buffer.from(data).toString('latin1'))
    client.handle({ onData, onEnd: () => client.end(), onDrain() {}, onClose() {} })
    client.write(bytes(REQUEST))
    for (let i = 0; i < 30; i++) await clock.advanceAsync(100)
    const again = async (): Promise<string> => {
      heard = ''
      client.write(bytes(REQUEST))
      await clock.advanceAsync(100)
      return heard
    }
    return { lines, again }
  }
  expect((await closed({})).lines).toHaveLength(1)
  const safe = await closed({ http1_safe_max_connection_duration: true })
  expect(safe.lines).toHaveLength(0)
  expect(await safe.again()).toContain('connection: close')
  expect(safe.lines).toHaveLength(1)
})
