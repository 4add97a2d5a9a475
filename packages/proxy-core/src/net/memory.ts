import type { Connection, ConnectionHandler, SocketAddress } from './connection.js'
import type { Network } from './network.js'
import { isReset } from './reset.js'

const ENOUGH_UNDER_WAY = 64 * 1024
const FIRST_EPHEMERAL_PORT = 32768

const nobody: ConnectionHandler = { onData() {}, onEnd() {}, onDrain() {}, onClose() {} }

/**
 * A network inside the process: no sockets, no time. What is written arrives in a later microtask, in order; nobody listening
 * means ECONNREFUSED. A listener on 0.0.0.0 or :: hears every address. It is as hard on its users as a kernel: bytes that
 * were delivered are overwritten after the call.
 */
export function createMemoryNetwork(): Network {
  const listeners = new Map<string, (connection: Connection) => void>()
  let nextPort = FIRST_EPHEMERAL_PORT
  const freePort = (): number => {
    nextPort = nextPort >= 65535 ? FIRST_EPHEMERAL_PORT : nextPort + 1
    return nextPort
  }
  const key = (address: SocketAddress): string => `${address.address} ${address.port}`
  const listenerAt = (target: SocketAddress): ((connection: Connection) => void) | undefined =>
    listeners.get(key(target)) ??
    listeners.get(key({ address: '0.0.0.0', port: target.port })) ??
    listeners.get(key({ address: '::', port: target.port }))

  return {
    async listen(options, accept) {
      const { address } = options.address
      let { port } = options.address
      while (port === 0 || (options.address.port === 0 && listeners.has(key({ address, port })))) port = freePort()
      const bound = { address, port }
      if (listeners.has(key(bound))) throw Object.assign(new Error(`${address}:${port} is taken`), { code: 'EADDRINUSE' })
      listeners.set(key(bound), accept)
      return {
        address: bound,
        async close() {
          if (listeners.get(key(bound)) === accept) listeners.delete(key(bound))
        },
      }
    },
    async connect(options) {
      const accept = listenerAt(options.address)
      if (accept === undefined) {
        const { address, port } = options.address
        throw Object.assign(new Error(`nobody listens on ${address}:${port}`), { code: 'ECONNREFUSED' })
      }
      const [client, server] = createConnectionPair(
        { address: options.transparentSource?.address ?? '127.0.0.1', port: freePort() },
        options.address,
      )
      queueMicrotask(() => accept(server))
      return client
    },
  }
}

/** Two ends of one connection. */
export function createConnectionPair(client: SocketAddress, server: SocketAddress): [client: Connection, server: Connection] {
  const a = new End(client, server)
  const b = new End(server, client)
  a.peer = b
  b.peer = a
  return [a, b]
}

type Item = { kind: 'data'; bytes: Uint8Array } | { kind: 'end' }

class End implements Connection {
  readonly local: SocketAddress
  remote: SocketAddress
  peer!: End
  bytesReceived = 0
  bytesSent = 0
  /** What the peer wrote and this end has not heard. */
  readonly #inbox: Item[] = []
  #inboxBytes = 0
  #handler: ConnectionHandler = nobody
  #paused = false
  #scheduled = false
  #heardEnd = false
  #ended = false
  #closed = false
  #toldClose = false
  #error: Error | undefined
  #full = false
  #cutOff = false
  readonly #closers: (() => void)[] = []

  constructor(local: SocketAddress, remote: SocketAddress) {
    this.local = local
    this.remote = remote
  }

  get closed(): boolean {
    return this.#closed
  }

  get buffered(): number {
    return this.peer.#inboxBytes
  }

  handle(handler: ConnectionHandler): void {
    this.#handler = handler
    if (this.#closed) this.#toldClose = false
    this.#schedule()
  }

  onClosed(closed: () => void): void {
    this.#closers.push(closed)
    this.#schedule()
  }

  unread(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#inbox.unshift({ kind: 'data', bytes: Buffer.from(bytes) })
    this.#inboxBytes += bytes.length
    this.#schedule()
  }

  write(bytes: Uint8Array): boolean {
    if (this.#closed || this.#ended) return true
    if (this.peer.#closed) {
      this.#close(Object.assign(new Error('the peer has closed the connection'), { code: 'ECONNRESET' }))
      return true
    }
    this.bytesSent += bytes.length
    this.peer.bytesReceived += bytes.length
    this.peer.#put({ kind: 'data', bytes: Buffer.from(bytes) }, bytes.length)
    if (this.buffered < ENOUGH_UNDER_WAY) return true
    this.#full = true
    return false
  }

  end(): void {
    if (this.#closed || this.#ended) return
    this.#ended = true
    this.peer.#put({ kind: 'end' }, 0)
    this.#schedule()
  }

  /** As close(2): what was written still arrives, then the peer hears the end. */
  destroy(error?: Error): void {
    if (this.#closed) return
    if (isReset(error)) {
      this.#cutOff = true
      this.peer.#close(Object.assign(new Error('the peer has reset the connection'), { code: 'ECONNRESET' }))
    } else if (!this.#ended) this.peer.#put({ kind: 'end' }, 0)
    this.#close(error)
  }

  get reset(): 'remote' | 'local' | undefined {
    if (this.#cutOff) return 'local'
    return isReset(this.#error) ? 'remote' : undefined
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#schedule()
  }

  #put(item: Item, size: number): void {
    if (this.#closed) return
    this.#inbox.push(item)
    this.#inboxBytes += size
    this.#schedule()
  }

  #close(error: Error | undefined): void {
    this.#closed = true
    this.#error ??= error
    this.#inbox.length = 0
    this.#inboxBytes = 0
    this.#schedule()
    this.peer.#taken()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#run()
    })
  }

  #run(): void {
    while (!this.#paused && !this.#closed && this.#handler !== nobody) {
      const item = this.#inbox.shift()
      if (item === undefined) break
      if (item.kind === 'end') {
        this.#heardEnd = true
        this.#handler.onEnd()
      } else {
        this.#inboxBytes -= item.bytes.length
        this.#handler.onData(item.bytes)
        item.bytes.fill(0xdd)
        this.peer.#taken()
      }
    }
    if (this.#heardEnd && this.#ended) this.#closed = true
    if (this.#closed && !this.#toldClose && this.#handler !== nobody) {
      this.#toldClose = true
      this.#handler.onClose(this.#error)
    }
    if (this.#closed) for (const closed of this.#closers.splice(0)) closed()
  }

  #taken(): void {
    if (!this.#full || this.buffered >= ENOUGH_UNDER_WAY) return
    this.#full = false
    queueMicrotask(() => {
      if (!this.#closed) this.#handler.onDrain()
    })
  }
}
