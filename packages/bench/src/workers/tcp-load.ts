import { once } from 'node:events'
import { connect, createServer, type Socket, type SocketConstructorOpts } from 'node:net'
import { createInterface } from 'node:readline'
import { connect as connectTls } from 'node:tls'
import { systemClock } from '@heddle/runtime'
import type { TcpLoadReport, TcpLoadRequest } from '../cases/tcp-proxy/load.js'

// usage: UPSTREAM_PORT. The upstream of a TCP proxy and its clients, in one process: a request on each line of stdin, a report on stdout.

/** A client that begins so wants bytes for ever; what others say comes back. */
const SOURCE = 0x53
const CHUNK = Buffer.alloc(1024 * 1024, 'x')

const upstream = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  socket.on('error', () => {})
  socket.once('data', (first: Buffer) => {
    if (first[0] === SOURCE) {
      const more = (): void => {
        while (!socket.destroyed && socket.write(CHUNK));
      }
      socket.on('drain', more)
      more()
    } else {
      socket.write(first)
      socket.pipe(socket)
    }
  })
})
upstream.listen(Number(process.argv[2]), '127.0.0.1', 4096)
await once(upstream, 'listening')
process.stdout.write('ready\n')

const open = new Set<Socket>()
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024)

async function pull({ port, connections, seconds }: TcpLoadRequest): Promise<TcpLoadReport> {
  let bytes = 0
  let errors = 0
  const callback = (count: number): boolean => {
    bytes += count
    return true
  }
  const sockets = Array.from({ length: connections }, () => {
    const socket = connect({ port, host: '127.0.0.1', onread: { buffer: readBuffer, callback } } as SocketConstructorOpts & {
      port: number
    })
    socket.on('error', () => errors++)
    socket.write(Buffer.of(SOURCE))
    return socket
  })
  const start = systemClock.monotonic()
  await after(seconds)
  const report = { count: bytes, seconds: (systemClock.monotonic() - start) / 1000, errors }
  for (const socket of sockets) socket.destroy()
  return report
}

/** One after the other in each lane: connected, a byte there and back, closed. */
async function reconnect({ port, connections, seconds }: TcpLoadRequest): Promise<TcpLoadReport> {
  let [count, errors] = [0, 0]
  const start = systemClock.monotonic()
  const end = start + seconds * 1000
  const lane = (): Promise<void> =>
    new Promise((resolve) => {
      const next = (): void => {
        if (systemClock.monotonic() >= end || errors > 1000) {
          resolve()
          return
        }
        const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => socket.write('e'))
        socket.once('data', () => {
          count++
          socket.end()
        })
        socket.once('error', () => errors++)
        socket.once('close', next)
      }
      next()
    })
  await Promise.all(Array.from({ length: connections }, lane))
  return { count, seconds: (systemClock.monotonic() - start) / 1000, errors }
}

/** Leaves them open until the next request to close them. */
async function hold({ port, connections, secure }: TcpLoadRequest): Promise<TcpLoadReport> {
  let errors = 0
  // In groups: a handshake takes time on one core.
  for (let at = 0; at < connections; at += 50)
    await Promise.all(
      Array.from({ length: Math.min(50, connections - at) }, async () => {
        const options = { port, host: '127.0.0.1' }
        const socket = secure === true ? connectTls({ ...options, rejectUnauthorized: false }) : connect(options)
        open.add(socket)
        socket.write('e')
        try {
          await once(socket, 'data')
        } catch {
          errors++
        }
        socket.on('error', () => {})
      }),
    )
  return { count: connections, seconds: 0, errors }
}

async function release(): Promise<TcpLoadReport> {
  const count = open.size
  for (const socket of open) socket.destroy()
  open.clear()
  await after(0.2)
  return { count, seconds: 0, errors: 0 }
}

function after(seconds: number): Promise<void> {
  return new Promise((resolve) => void systemClock.after(seconds * 1000, resolve))
}

const kinds = { pull, reconnect, hold, release }
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as TcpLoadRequest
  process.stdout.write(`${JSON.stringify(await kinds[request.kind](request))}\n`)
}
