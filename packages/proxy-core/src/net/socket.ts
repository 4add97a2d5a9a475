import { Socket, type SocketConnectOpts, type SocketConstructorOpts } from 'node:net'
import type { Clock } from '@heddle/runtime'
import { canonicalIp, isPath } from './address.js'
import type { Connection, SocketAddress } from './connection.js'
import { listenOn } from './listen.js'
import type { ConnectOptions, Network } from './network.js'
import { createKernelOriginalDst } from './original-dst/kernel.js'
import { type Libc, loadLibc } from './original-dst/libc.js'
import { firstOriginalDst, localAddressOriginalDst } from './original-dst/local-address.js'
import type { OriginalDst } from './original-dst/original-dst.js'
import { makeTransparent } from './original-dst/transparent.js'
import { createTransparentSocket } from './original-dst/transparent-client.js'
import { SocketConnection } from './socket-connection.js'
import { onRead, type ReadTarget } from './socket-handle.js'

export interface SystemNetworkOptions {
  readonly clock: Clock
  /** Where clients of redirected connections meant to go. By default the kernel tells it, through the optional package koffi. */
  readonly originalDst?: OriginalDst
  /**
   * Several processes listen on the same addresses, and the system spreads connections over them: Linux, Node 22.12 or newer.
   * Not for port 0 and Unix sockets.
   */
  readonly reusePort?: boolean
}

/** The machine's TCP and Unix sockets. An address that is a path means a Unix socket. */
export function createSystemNetwork(options: SystemNetworkOptions): Network {
  let libc: Promise<Libc> | undefined
  const native = (): Promise<Libc> => (libc ??= loadLibc())
  const originalDst = async (): Promise<OriginalDst> => options.originalDst ?? createKernelOriginalDst(await native())
  return {
    async listen(asked, accept) {
      const reusePort = options.reusePort === true && asked.address.port !== 0 && !isPath(asked.address)
      const listen = reusePort ? { ...asked, reusePort } : asked
      if (listen.transparent === true) {
        const calls = await native()
        const prepare = (fd: number, bound: SocketAddress): void => makeTransparent(calls, fd, bound)
        const destination = firstOriginalDst(await originalDst(), localAddressOriginalDst)
        return listenOn({ ...listen, prepare, originalDst: destination }, accept)
      }
      return listenOn({ ...listen, originalDst: listen.redirected === true ? await originalDst() : undefined }, accept)
    },
    async connect(target) {
      const { transparentSource: from } = target
      const calls = from === undefined ? undefined : await native()
      return connectTo(target, options.clock, (settings) =>
        from === undefined || calls === undefined ? new Socket(settings) : createTransparentSocket(calls, from, settings),
      )
    },
  }
}

function connectTo(
  options: ConnectOptions,
  clock: Clock,
  createSocket: (settings: SocketConstructorOpts) => Socket,
): Promise<Connection> {
  const target: ReadTarget = { connection: undefined }
  return new Promise((resolve, reject) => {
    const { address, port } = options.address
    const from =
      options.sourceAddress === undefined || options.transparentSource !== undefined
        ? {}
        : { localAddress: options.sourceAddress }
    const socket = createSocket({ allowHalfOpen: true, onread: onRead(target) } as SocketConstructorOpts)
    socket.connect({
      ...(isPath(options.address) ? { path: address } : { host: address, port, ...from }),
      noDelay: true,
    } as SocketConnectOpts)
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
      target.connection = new SocketConnection(socket, { remote: options.address, local }, true)
      resolve(target.connection)
    })
  })
}
