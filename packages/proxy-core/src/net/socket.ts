import { type AddressInfo, connect as connectSocket, createServer, type NetConnectOpts, Socket } from 'node:net'
import type { Clock } from '@heddle/runtime'
import type { Connection, SocketAddress } from './connection.js'
import type { BoundListener, ConnectOptions, ListenOptions, Network } from './network.js'
import { SocketConnection } from './socket-connection.js'

// All sockets of the process read into one buffer: a connection's owner takes what it wants before it returns.
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024)

const DEFAULT_BACKLOG = 4096

/** The machine's TCP and Unix sockets. An address that is a path means a Unix socket. */
export function createSystemNetwork(options: { clock: Clock }): Network {
  const { clock } = options
  return {
    listen: (listen, accept) => listenOn(listen, accept),
    connect: (target) => connectTo(target, clock),
  }
}

function listenOn(options: ListenOptions, accept: (connection: Connection) => void): Promise<BoundListener> {
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
    const connection = accepted(socket)
    if (connection !== undefined) accept(connection)
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    const { address, port } = options.address
    const backlog = options.backlog === undefined || options.backlog === 0 ? DEFAULT_BACKLOG : options.backlog
    const where = isPath(options.address) ? { path: address } : { host: address, port }
    server.listen({ ...where, backlog, ...(options.reusePort === true ? { reusePort: true } : {}) }, () => {
      server.removeListener('error', reject)
      server.on('error', () => {}) // accept(2) failed (EMFILE): those that are open must live on
      const bound = server.address()
      resolve({
        address: typeof bound === 'string' || bound === null ? { address, port: 0 } : canonical(bound),
        async close() {
          server.close() // stops at once; its callback would wait for every open connection
        },
      })
    })
  })
}

function accepted(socket: Socket): Connection | undefined {
  const remote = { address: canonicalIp(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 }
  const local = { address: canonicalIp(socket.localAddress ?? ''), port: socket.localPort ?? 0 }
  const handle = handleOf(socket)
  if (handle === undefined) {
    if (socket.destroyed) return undefined
    return new SocketConnection(socket, { remote, local }, false)
  }
  let connection: SocketConnection | undefined
  // manualStart: nothing is read before somebody handles it.
  const settings = { handle, manualStart: true, allowHalfOpen: true, onread: onRead(() => connection) }
  const own = new Socket(settings as ConstructorParameters<typeof Socket>[0])
  connection = new SocketConnection(own, { remote, local }, true)
  return connection
}

/**
 * An accepted socket can only be given a read buffer by making a new one around its handle, which Node does not document.
 * Undefined when there is nothing like a handle: then the accepted socket serves as it is, 8 to 15 % slower.
 */
function handleOf(socket: Socket): object | undefined {
  const handle = (socket as unknown as { _handle?: { useUserBuffer?: unknown; readStart?: unknown } | null })._handle
  if (handle === undefined || handle === null) return undefined
  return typeof handle.useUserBuffer === 'function' && typeof handle.readStart === 'function' ? handle : undefined
}

function onRead(connection: () => SocketConnection | undefined): {
  buffer: Buffer
  callback: (count: number, buffer: Uint8Array) => boolean
} {
  return {
    buffer: readBuffer,
    callback(count, buffer) {
      connection()?.receive(buffer.subarray(0, count))
      return true
    },
  }
}

function connectTo(options: ConnectOptions, clock: Clock): Promise<Connection> {
  return new Promise((resolve, reject) => {
    let connection: SocketConnection | undefined
    const { address, port } = options.address
    const from = options.sourceAddress === undefined ? {} : { localAddress: options.sourceAddress }
    const where = isPath(options.address) ? { path: address } : { host: address, port, ...from }
    const socket = connectSocket({
      ...where,
      allowHalfOpen: true,
      noDelay: true,
      onread: onRead(() => connection),
    } as NetConnectOpts)
    socket.pause()
    const stopTimer = clock.after(options.timeoutMs, () => {
      socket.destroy(
        Object.assign(new Error(`connecting to ${address}:${port} took longer than ${options.timeoutMs} ms`), {
          code: 'ETIMEDOUT',
        }),
      )
    })
    const failed = (error: Error): void => {
      stopTimer()
      reject(error)
    }
    socket.once('error', failed)
    socket.once('connect', () => {
      stopTimer()
      socket.removeListener('error', failed)
      const local = { address: canonicalIp(socket.localAddress ?? ''), port: socket.localPort ?? 0 }
      connection = new SocketConnection(socket, { remote: options.address, local }, true)
      resolve(connection)
    })
  })
}

function isPath(address: SocketAddress): boolean {
  return address.port === 0 && (address.address.startsWith('/') || address.address.startsWith('@'))
}

function canonical(address: AddressInfo): SocketAddress {
  return { address: canonicalIp(address.address), port: address.port }
}

/** IPv4 addresses that came through an IPv6 socket are IPv4 addresses. */
function canonicalIp(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address
}
