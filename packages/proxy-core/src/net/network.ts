import type { Connection, SocketAddress } from './connection.js'
import type { TransparentSource } from './original-dst/transparent-client.js'

export interface ListenOptions {
  address: SocketAddress
  /** Many connections may be accepted between two turns of the loop; 0 is the system's default. */
  backlog?: number
  reusePort?: boolean
  /** `::` means IPv6 alone; else IPv4 as well. */
  ipv6Only?: boolean
  /** Connections are asked for their destination before redirection ({@link Connection.originalDestination}). */
  redirected?: boolean
  /** A TPROXY rule brings connections here: their local address is their destination. */
  transparent?: boolean
}

export interface BoundListener {
  /** The real address: port 0 has become the one that was free. */
  readonly address: SocketAddress
  /** Stops accepting; open connections live on. */
  close(): Promise<void>
}

export interface ConnectOptions {
  address: SocketAddress
  timeoutMs: number
  /** IP address to connect from; the system's choice by default. */
  sourceAddress?: string | undefined
  /** Another machine's address to connect from instead. */
  transparentSource?: TransparentSource | undefined
}

/** Sockets by argument: `createSystemNetwork()` (net/socket) or `createMemoryNetwork()` (net/memory), which runs a whole mesh in one process. */
export interface Network {
  /** Rejects with the system's error (`code`: EADDRINUSE, EACCES ...), or `ORIGINAL_DST` where destinations cannot be asked for. */
  listen(options: ListenOptions, accept: (connection: Connection) => void): Promise<BoundListener>
  /** Resolves when connected. Rejects with `code` of the system, or `ETIMEDOUT`. */
  connect(options: ConnectOptions): Promise<Connection>
}
