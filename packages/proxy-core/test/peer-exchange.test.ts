import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { renderPrometheus } from '@heddle/runtime'
import { beforeAll, expect, test } from 'vitest'
import { createProxy, type ProxyServer } from '../src/index.js'
import { type Identity, issue, spiffe } from './certificates.js'
import { later, listener } from './support.js'

// Istio's TCP metadata exchange between two of our proxies, over mTLS.

const NETWORK = 'type.googleapis.com/envoy.extensions.filters.network'
const TLS = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3'
const EXCHANGE = {
  name: 'istio.metadata_exchange',
  typed_config: {
    '@type': 'type.googleapis.com/udpa.type.v1.TypedStruct',
    type_url: 'type.googleapis.com/envoy.tcp.metadataexchange.config.MetadataExchange',
    value: { enable_discovery: true, protocol: 'istio-peer-exchange' },
  },
}
const STATS = {
  name: 'istio.stats',
  typed_config: { '@type': 'type.googleapis.com/stats.PluginConfig', tcp_reporting_duration: '0.1s' },
}
const TCP = {
  name: 'envoy.filters.network.tcp_proxy',
  typed_config: { '@type': `${NETWORK}.tcp_proxy.v3.TcpProxy`, stat_prefix: 'tcp', cluster: 'up' },
}

let root: Identity
let [client, server]: Identity[] = []
beforeAll(() => {
  root = issue({ commonName: 'root', ca: true })
  ;[client, server] = ['client', 'server'].map((name) => issue({ commonName: '', uris: [spiffe(name)] }, root))
})

function common(own: Identity | undefined, alpn: readonly string[]): object {
  return {
    alpn_protocols: alpn,
    tls_certificates: [{ certificate_chain: { inline_string: own?.certificate }, private_key: { inline_string: own?.key } }],
    validation_context: { trusted_ca: { inline_string: root.certificate } },
  }
}

async function start(name: string, chain: object, cluster: object, port: number): Promise<ProxyServer> {
  const address = { socket_address: { address: '127.0.0.1', port_value: port } }
  const load_assignment = { cluster_name: 'up', endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] }
  const { filter_chains: _, ...rest } = listener(name, TCP) as Record<string, unknown>
  const proxy = createProxy({
    bootstrap: {
      node: { id: name, metadata: { WORKLOAD_NAME: name, NAMESPACE: 'here', LABELS: { app: name } } },
      static_resources: {
        listeners: [{ ...rest, traffic_direction: name === 'client' ? 'OUTBOUND' : 'INBOUND', filter_chains: [chain] }],
        clusters: [{ name: 'up', connect_timeout: '5s', load_assignment, ...cluster }],
      },
    },
  })
  await proxy.start()
  later(() => proxy.close())
  return proxy
}

const portOf = (proxy: ProxyServer): number => proxy.listeners[0]?.address.port ?? 0

function startServer(app: number, exchanges = true): Promise<ProxyServer> {
  const tls = { '@type': `${TLS}.DownstreamTlsContext`, require_client_certificate: true }
  const common_tls_context = common(server, ['istio-peer-exchange', 'h2', 'http/1.1'])
  const transport_socket = { name: 'tls', typed_config: { ...tls, common_tls_context } }
  return start('server', { transport_socket, filters: [...(exchanges ? [EXCHANGE] : []), STATS, TCP] }, {}, app)
}

function startClient(port: number, exchanges = true): Promise<ProxyServer> {
  const tls = { '@type': `${TLS}.UpstreamTlsContext`, common_tls_context: common(client, ['istio-peer-exchange', 'istio']) }
  const transport_socket = { name: 'tls', typed_config: tls }
  return start('client', { filters: [STATS, TCP] }, { transport_socket, ...(exchanges && { filters: [EXCHANGE] }) }, port)
}

async function startApp(serve: (socket: Socket) => void): Promise<number> {
  const app = createServer((socket) => serve(socket.on('error', () => {})))
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
  later(async () => void app.close())
  return (app.address() as AddressInfo).port
}

const echo = (socket: Socket): void => void socket.pipe(socket)

/** What comes back until the connection has ended. */
function talk(socket: Socket | TLSSocket, send: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const got: Buffer[] = []
    socket.on('data', (chunk: Buffer) => got.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve(Buffer.concat(got)))
    socket.end(send)
  })
}

const told = (proxy: ProxyServer): string[] =>
  [...renderPrometheus(proxy.stats).matchAll(/^istio_tcp_connections_closed_total\{(.*)\} 1$/gm)].map(([, labels = '']) => labels)

test('each side knows who the other is, and the bytes between them are theirs alone', async () => {
  const last = await startServer(await startApp(echo))
  const first = await startClient(portOf(last))
  const sent = Buffer.alloc(1_000_000, 'abc')
  expect((await talk(connect(portOf(first), '127.0.0.1'), sent)).equals(sent)).toBe(true)
  await expect.poll(() => told(last)).toHaveLength(1)
  expect(told(last)[0]).toMatch(
    /^reporter="destination",source_workload="client".*source_app="client".*connection_security_policy="mutual_tls"$/,
  )
  await expect.poll(() => told(first)).toHaveLength(1)
  expect(told(first)[0]).toMatch(/^reporter="source",source_workload="client".*destination_workload="server"/)
  expect(renderPrometheus(last.stats)).toMatch(/^istio_tcp_received_bytes_total\{.*\} 1000000$/m)
})

test('a server that speaks first is heard, and told of while the connection is open', async () => {
  const last = await startServer(await startApp((socket) => void socket.write('welcome')))
  const first = await startClient(portOf(last))
  const socket = connect(portOf(first), '127.0.0.1')
  later(async () => void socket.destroy())
  expect(await new Promise((resolve) => socket.once('data', (chunk) => resolve(String(chunk))))).toBe('welcome')
  for (const proxy of [first, last])
    await expect
      .poll(() => renderPrometheus(proxy.stats))
      .toMatch(/^istio_tcp_sent_bytes_total\{.*source_workload="client".*destination_workload="server".*\} 7$/m)
})

test.each([
  [true, false],
  [false, true],
])('is left out where only one side has the filter (client %s, server %s)', async (clients, servers) => {
  const last = await startServer(await startApp(echo), servers)
  const first = await startClient(portOf(last), clients)
  expect(String(await talk(connect(portOf(first), '127.0.0.1'), Buffer.from('hello')))).toBe('hello')
  await expect.poll(() => told(last)).toHaveLength(1)
  expect(told(last)[0]).toMatch(/source_workload="unknown".*source_principal="spiffe:/)
})

test('a client that agrees to it and says something else is passed on as it is', async () => {
  const last = await startServer(await startApp(echo))
  const socket = connectTls({
    ...{ port: portOf(last), host: '127.0.0.1', ca: root.certificate, cert: client?.certificate, key: client?.key },
    ...{ ALPNProtocols: ['istio-peer-exchange'], checkServerIdentity: () => undefined },
  })
  const got = await talk(socket, Buffer.from('no greeting'))
  expect(got.readUInt32BE(0)).toBe(0x3d230467)
  expect(String(got.subarray(8 + got.readUInt32BE(4)))).toBe('no greeting')
})
