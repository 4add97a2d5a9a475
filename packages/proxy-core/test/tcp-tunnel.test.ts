import { readFile, rm } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2'
import { type AddressInfo, connect, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createProxy } from '../src/index.js'
import { later, listener, staticCluster } from './support.js'

// tcp_proxy.tunneling_config: DestinationRule.trafficPolicy.tunnel of Istio, through forward proxies that are not ours.

interface Asked {
  readonly method: string
  readonly authority: string
  readonly path: string | undefined
  readonly headers: Readonly<Record<string, unknown>>
}

interface ForwardProxy {
  readonly port: number
  readonly asked: Asked[]
}

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  later(async () => void server.close())
  return (server.address() as AddressInfo).port
}

/** Echoes what goes through a tunnel; `deny` in the authority: 403. */
async function startHttp1(): Promise<ForwardProxy> {
  const asked: Asked[] = []
  const server = createHttpServer({ keepAliveTimeout: 600_000 }, (request, response) => {
    const { method = '', url: path, headers } = request
    asked.push({ method, authority: headers.host ?? '', path, headers })
    request.pipe(response.writeHead(200))
    response.flushHeaders()
  })
  server.on('connect', ({ url = '', headers }, socket) => {
    asked.push({ method: 'CONNECT', authority: url, path: undefined, headers })
    socket.on('error', () => {})
    if (url.includes('deny')) socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno')
    else {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.pipe(socket)
    }
  })
  return { port: await portOf(server), asked }
}

async function startHttp2(): Promise<ForwardProxy> {
  const asked: Asked[] = []
  const server = createHttp2Server()
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const authority = headers[':authority'] ?? ''
    asked.push({ method: headers[':method'] ?? '', authority, path: headers[':path'], headers })
    stream.on('error', () => {})
    stream.respond({ ':status': authority.includes('deny') ? 403 : 200 })
    if (authority.includes('deny')) stream.end('no')
    else stream.pipe(stream)
  })
  return { port: await portOf(server as unknown as Server), asked }
}

const HTTP2 = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
}
const LOG =
  '%RESPONSE_FLAGS% %UPSTREAM_TRANSPORT_FAILURE_REASON% %UPSTREAM_REQUEST_ATTEMPT_COUNT% %BYTES_RECEIVED% %BYTES_SENT%\n'

async function startProxy(
  to: ForwardProxy,
  tunneling_config: object,
  { http2 = false, ...rest }: { readonly http2?: boolean; readonly max_connect_attempts?: number } = {},
): Promise<{ readonly port: number; log(): Promise<string> }> {
  const file = join(tmpdir(), `heddle-tunnel-${process.pid}-${Math.random()}`)
  later(() => rm(file, { force: true }))
  const access_log = [
    {
      name: 'file',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog',
        path: file,
        log_format: { text_format_source: { inline_string: LOG } },
      },
    },
  ]
  const tcp = {
    name: 'envoy.filters.network.tcp_proxy',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
      ...{ stat_prefix: 'tcp', cluster: 'forward', tunneling_config, access_log, ...rest },
    },
  }
  const proxy = createProxy({
    bootstrap: {
      static_resources: {
        listeners: [listener('l', tcp)],
        clusters: [staticCluster('forward', [to.port], http2 ? HTTP2 : {})],
      },
    },
  })
  await proxy.start()
  later(() => proxy.close())
  return { port: proxy.listeners[0]?.address.port ?? 0, log: () => readFile(file, 'utf8').catch(() => '') }
}

/** What comes back until the connection has ended, or was cut off. */
function talk(port: number, send: Uint8Array): Promise<Buffer> {
  return new Promise((resolve) => {
    const got: Buffer[] = []
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => socket.end(send))
    socket.on('data', (chunk: Buffer) => got.push(chunk))
    socket.on('error', () => {})
    socket.on('end', () => socket.end())
    socket.on('close', () => resolve(Buffer.concat(got)))
  })
}

describe.each([
  ['HTTP/1.1', startHttp1, false],
  ['HTTP/2', startHttp2, true],
] as const)('a tunnel by %s', (_, startForward, http2) => {
  test.each([
    [{}, 'CONNECT', undefined],
    [{ use_post: true }, 'POST', '/'],
    [{ use_post: true, post_path: '/tunnel' }, 'POST', '/tunnel'],
  ])('%j carries bytes both ways, and ends of each', async (how, method, path) => {
    const forward = await startForward()
    const headers_to_add = [{ header: { key: 'x-from', value: '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%' } }]
    const { port, log } = await startProxy(forward, { hostname: 'db.example:5432', headers_to_add, ...how }, { http2 })
    const sent = Buffer.alloc(1_000_000, 'abc')
    expect((await talk(port, sent)).equals(sent)).toBe(true)
    expect(forward.asked).toMatchObject([{ method, authority: 'db.example:5432', headers: { 'x-from': '127.0.0.1' } }])
    if (http2 || method === 'POST') expect(forward.asked[0]?.path).toBe(path)
    await expect.poll(log).toBe('- - 1 1000000 1000000\n')
  })

  test('its host may be what the connection says', async () => {
    const forward = await startForward()
    const { port } = await startProxy(forward, { hostname: '%DOWNSTREAM_LOCAL_ADDRESS%' }, { http2 })
    expect(String(await talk(port, Buffer.from('hello')))).toBe('hello')
    expect(forward.asked[0]?.authority).toBe(`127.0.0.1:${port}`)
  })

  test('a refusal is a failure to connect, and asked again as often as is allowed', async () => {
    const forward = await startForward()
    const { port, log } = await startProxy(forward, { hostname: 'deny.example:443' }, { http2, max_connect_attempts: 2 })
    expect(String(await talk(port, Buffer.from('hello')))).toBe('')
    expect(forward.asked).toHaveLength(2)
    await expect.poll(log).toBe('UF,URX tunnel_response:403 2 0 0\n')
  })
})
