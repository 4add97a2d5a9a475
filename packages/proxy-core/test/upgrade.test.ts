import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, createServer as createNetServer, type Server as NetServer } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { DEFAULT_HTTP2_OPTIONS } from '../src/http/h2/options.js'
import { cluster, endpoint, routeTable, sendRaw, startProxy, type TestProxy, upstreamHttp } from './harness.js'
import { http2Client, startHttp2Upstream } from './http2-harness.js'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})
function opened<T extends { close(): Promise<void> }>(one: T): T {
  open.push(one)
  return one
}

async function listening(server: Server | NetServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  opened({ close: () => new Promise((resolve) => server.close(() => resolve())) })
  return (server.address() as AddressInfo).port
}

/** Agrees to WebSocket and then says everything back in upper case. */
function webSocketUpstream(): Promise<number> {
  const server = createServer()
  server.on('upgrade', (request, socket) => {
    socket.on('error', () => {})
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${request.headers.upgrade}\r\nx-seen: ${request.url}\r\n\r\n`,
    )
    socket.on('data', (bytes: Buffer) => socket.write(bytes.toString().toUpperCase()))
    socket.on('end', () => socket.end())
  })
  return listening(server)
}

const allow = { upgrades: new Set(['websocket', 'connect']), http2: { ...DEFAULT_HTTP2_OPTIONS, allowConnect: true } }
const proxyTo = async (port: number, protocol: 'HTTP1' | 'HTTP2' = 'HTTP1', action = {}): Promise<TestProxy> =>
  opened(
    await startProxy({
      table: routeTable('u', action),
      manager: allow,
      clusters: [cluster('u', [endpoint(port)], { http: upstreamHttp({ protocol, http2: allow.http2 }) })],
    }),
  )

const ASK = 'GET /chat HTTP/1.1\r\nhost: h\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n'

describe('WebSocket', () => {
  test('over HTTP/1.1: bytes go both ways as they are', async () => {
    const proxy = await proxyTo(await webSocketUpstream())
    const received = await sendRaw(proxy.port, `${ASK}hello`, 'HELLO')
    expect(received).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/)
    expect(received).toContain('upgrade: websocket')
    expect(received).toContain('x-seen: /chat')
    await expect.poll(() => proxy.log[0]?.info).toMatchObject({ status: 101, bytesSent: 5, bytesReceived: 5 })
  })

  test('over HTTP/2, by extended CONNECT (RFC 8441)', async () => {
    const proxy = await proxyTo(await webSocketUpstream())
    const session = http2Client(proxy.port)
    opened({ close: async () => session.destroy() })
    await new Promise((resolve) => session.once('remoteSettings', resolve))
    const stream = session.request({ ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/chat', ':scheme': 'http' })
    const head = new Promise<Record<string, unknown>>((resolve) => stream.once('response', resolve))
    const answer = new Promise<string>((resolve) => stream.once('data', (bytes: Buffer) => resolve(bytes.toString())))
    stream.write('hello')
    expect(await head).toMatchObject({ ':status': 200, 'x-seen': '/chat' })
    expect(await answer).toBe('HELLO')
    stream.close()
  })

  test('from HTTP/1.1 to an upstream that speaks HTTP/2', async () => {
    const upstream = opened(
      await startHttp2Upstream(
        (stream, headers) => {
          stream.respond({ ':status': headers[':protocol'] === 'websocket' ? 200 : 400 })
          stream.on('data', (bytes: Buffer) => stream.write(bytes.toString().toUpperCase()))
        },
        { enableConnectProtocol: true },
      ),
    )
    const proxy = await proxyTo(upstream.port, 'HTTP2')
    const received = await sendRaw(proxy.port, `${ASK}hello`, 'HELLO')
    expect(received).toMatch(/^HTTP\/1\.1 101 /)
    expect(received).toContain('upgrade: websocket')
  })

  test('nothing is sent on before the upstream has agreed (CVE-2025-64763), and only 101 is agreement (CVE-2024-23326)', async () => {
    let seen = ''
    const port = await listening(
      createNetServer((socket) => {
        socket.on('error', () => {})
        socket.on('data', (bytes) => {
          seen += bytes.toString()
          socket.write('HTTP/1.1 200 OK\r\nconnection: Upgrade\r\nupgrade: websocket\r\ncontent-length: 2\r\n\r\nno')
        })
        socket.on('end', () => socket.end())
      }),
    )
    const proxy = await proxyTo(port)
    const received = await sendRaw(proxy.port, `${ASK}GET /smuggled HTTP/1.1\r\nhost: h\r\n\r\n`)
    expect(received).toMatch(/^HTTP\/1\.1 200 /)
    expect(received).toContain('connection: close')
    expect(seen).not.toContain('smuggled')
  })

  test('where it is not allowed the answer is 403', async () => {
    const proxy = opened(
      await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(await webSocketUpstream())])] }),
    )
    expect(await sendRaw(proxy.port, ASK)).toMatch(/^HTTP\/1\.1 403 /)
    expect(proxy.log[0]?.info.details).toBe('upgrade_failed')
  })
})

describe('CONNECT', () => {
  const echo = (): Promise<number> =>
    listening(
      createNetServer((socket) => {
        socket.on('error', () => {})
        socket.on('data', (bytes) => socket.write(bytes))
        socket.on('end', () => socket.end())
      }),
    )

  test('ends here: its bytes go to the endpoint over TCP', async () => {
    const proxy = await proxyTo(await echo(), 'HTTP1', { terminatesConnect: true })
    const received = await sendRaw(proxy.port, 'CONNECT a.example:443 HTTP/1.1\r\nhost: a.example:443\r\n\r\nbytes', 'bytes')
    expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(received.endsWith('\r\n\r\nbytes')).toBe(true)
  })

  test('ends here over HTTP/2', async () => {
    const proxy = await proxyTo(await echo(), 'HTTP1', { terminatesConnect: true })
    const session = http2Client(proxy.port)
    opened({ close: async () => session.destroy() })
    const stream = session.request({ ':method': 'CONNECT', ':authority': 'a.example:443' })
    const answer = new Promise<string>((resolve) => stream.once('data', (bytes: Buffer) => resolve(bytes.toString())))
    stream.write('bytes')
    expect(await answer).toBe('bytes')
    stream.close()
  })

  test('goes on to a proxy behind', async () => {
    let head = ''
    const port = await listening(
      createNetServer((socket) => {
        socket.on('error', () => {})
        socket.once('data', (bytes) => {
          head = bytes.toString()
          socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
          socket.on('data', (more) => socket.write(more))
        })
        socket.on('end', () => socket.end())
      }),
    )
    const proxy = await proxyTo(port)
    const received = await sendRaw(proxy.port, 'CONNECT a.example:443 HTTP/1.1\r\nhost: a.example:443\r\n\r\nbytes', 'bytes')
    expect(received).toMatch(/^HTTP\/1\.1 200 /)
    expect(head).toMatch(/^CONNECT a\.example:443 HTTP\/1\.1\r\n/)
  })

  test('a client that goes in the middle leaves nothing behind', async () => {
    const proxy = await proxyTo(await echo(), 'HTTP1', { terminatesConnect: true })
    const socket = connect(proxy.port, '127.0.0.1', () => socket.write('CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\nx'))
    socket.on('error', () => {})
    await new Promise((resolve) => socket.once('data', resolve))
    socket.destroy()
    await expect.poll(() => proxy.manager.active).toBe(0)
    await expect.poll(() => [...proxy.clusters.get('u')!.hosts][0]?.activeConnections).toBe(0)
  })
})
