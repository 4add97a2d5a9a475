import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, it } from 'vitest'
import { createProxy } from '../src/index.js'
import { readProxyHeader } from '../src/net/proxy-protocol/read.js'
import { issue } from './certificates.js'
import { later } from './support.js'

/** An HTTP/1.1 server that wants a PROXY header and answers each request with what the header said. */
async function startUpstream() {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket))
    let head = Buffer.alloc(0)
    let said: string | undefined
    socket.on('data', (chunk) => {
      head = Buffer.concat([head, chunk])
      if (said === undefined) {
        const header = readProxyHeader(head)
        if (header.kind !== 'header') return
        const { source, destination, tlvs } = header.proxied ?? { source: { port: 0 }, destination: { port: 0 }, tlvs: [] }
        said = JSON.stringify({
          from: source.port,
          to: destination.port,
          tlvs: tlvs.map(({ value }) => Buffer.from(value).toString()),
        })
        head = head.subarray(header.length)
      }
      while (head.includes('\r\n\r\n')) {
        head = head.subarray(head.indexOf('\r\n\r\n') + 4)
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${said.length}\r\n\r\n${said}`)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  later(async () => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, open }
}

/** A client that keeps its connection; `ask` resolves with the body. */
async function startClient(port: number, prefix: Uint8Array = new Uint8Array()) {
  const socket = connect({ host: '127.0.0.1', port })
  socket.on('error', () => {})
  await new Promise((resolve) => socket.once('connect', resolve))
  later(async () => socket.destroy())
  socket.write(prefix)
  const ask = async (): Promise<unknown> => {
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
    let text = ''
    while (!text.endsWith('}'))
      text += await new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(String(chunk))))
    return JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4))
  }
  return { ask, end: () => socket.destroy(), port: socket.localPort }
}

const at = (port_value: number): object => ({ socket_address: { address: '127.0.0.1', port_value } })
const types = 'type.googleapis.com/envoy.extensions'
const typed = (name: string, fields: object = {}): object => ({ name, typed_config: { '@type': `${types}.${name}`, ...fields } })
const web = (route: object): object =>
  typed('filters.network.http_connection_manager.v3.HttpConnectionManager', {
    stat_prefix: 'in',
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, ...route }] }] },
    http_filters: [typed('filters.http.router.v3.Router')],
  })

it('tells each upstream connection who is served, and shares it with nobody else', async () => {
  const upstream = await startUpstream()
  const http = web({ route: { cluster: 'app' } })
  const everything = { pass_through_tlvs: { match_type: 'INCLUDE_ALL' } }
  const header = typed('filters.listener.proxy_protocol.v3.ProxyProtocol', everything)
  const app = {
    name: 'app',
    connect_timeout: '5s',
    load_assignment: { cluster_name: 'app', endpoints: [{ lb_endpoints: [{ endpoint: { address: at(upstream.port) } }] }] },
    transport_socket: typed('transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport', {
      config: { version: 'V2', ...everything },
      transport_socket: typed('transport_sockets.raw_buffer.v3.RawBuffer'),
    }),
  }
  const listeners = [
    { name: 'plain', address: at(0), filter_chains: [{ filters: [http] }] },
    { name: 'proxied', address: at(0), filter_chains: [{ filters: [http] }], listener_filters: [header] },
  ]
  const proxy = createProxy({ bootstrap: { static_resources: { listeners, clusters: [app] } } })
  await proxy.start()
  later(() => proxy.close())
  const [plain = 0, proxied = 0] = proxy.listeners.map(({ address }) => address.port)

  const one = await startClient(plain)
  const two = await startClient(plain)
  const wanted = (client: { port: number | undefined }) => ({ from: client.port, to: plain, tlvs: [] })
  for (const client of [one, two, one, two]) expect(await client.ask()).toEqual(wanted(client))
  expect(upstream.open.size).toBe(2)

  const hex = '0d0a0d0a000d0a515549540a211100100102030405060708045708aee0000178'
  const three = await startClient(proxied, Buffer.from(hex, 'hex'))
  expect(await three.ask()).toEqual({ from: 1111, to: 2222, tlvs: ['x'] })

  for (const client of [one, two, three]) client.end()
  await expect.poll(() => upstream.open.size).toBe(0)
})

it('tells it before TLS begins', async () => {
  const identity = issue({ commonName: 'a.example', dns: ['a.example'] })
  const certificate = { certificate_chain: { inline_string: identity.certificate }, private_key: { inline_string: identity.key } }
  const tls = (side: string, fields: object): object =>
    typed(`transport_sockets.tls.v3.${side}TlsContext`, { common_tls_context: fields })
  const seen = { header: { key: 'x-seen', value: '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%:%DOWNSTREAM_REMOTE_PORT%' } }
  const inner = {
    name: 'inner',
    address: at(0),
    listener_filters: [typed('filters.listener.proxy_protocol.v3.ProxyProtocol')],
    filter_chains: [
      {
        filters: [web({ direct_response: { status: 200 }, response_headers_to_add: [seen] })],
        transport_socket: tls('Downstream', { tls_certificates: [certificate] }),
      },
    ],
  }
  const first = createProxy({ bootstrap: { static_resources: { listeners: [inner] } } })
  await first.start()
  later(() => first.close())
  const app = {
    name: 'app',
    connect_timeout: '5s',
    load_assignment: {
      cluster_name: 'app',
      endpoints: [{ lb_endpoints: [{ endpoint: { address: at(first.listeners[0]?.address.port ?? 0) } }] }],
    },
    transport_socket: typed('transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport', {
      config: { version: 'V2' },
      transport_socket: tls('Upstream', { validation_context: { trusted_ca: { inline_string: identity.certificate } } }),
    }),
  }
  const outer = { name: 'outer', address: at(0), filter_chains: [{ filters: [web({ route: { cluster: 'app' } })] }] }
  const second = createProxy({ bootstrap: { static_resources: { listeners: [outer], clusters: [app] } } })
  await second.start()
  later(() => second.close())
  const socket = connect({ host: '127.0.0.1', port: second.listeners[0]?.address.port ?? 0 })
  later(async () => socket.destroy())
  socket.write('GET / HTTP/1.1\r\nhost: a.example\r\n\r\n')
  const answer = await new Promise<string>((resolve) => socket.once('data', (chunk: Buffer) => resolve(chunk.toString())))
  expect(answer).toContain(`x-seen: 127.0.0.1:${socket.localPort}\r\n`)
})
