import { type Clock, systemClock } from '@heddle/runtime'
import type { Tls } from './tls.js'
import { connectTls } from './tls-client.js'
import { acceptTls } from './tls-server.js'

export interface TlsOptions {
  /**
   * How peers' certificates are verified. `openssl`, the default: as OpenSSL does it. `strict`: our own verification comes on top,
   * which holds certificates to every MUST of RFC 5280 and to the CA/Browser Forum's rules on keys and names; CAs of meshes often
   * do not keep to all of them.
   */
  readonly certificates?: 'openssl' | 'strict'
  /** For `strict`. */
  readonly clock?: Clock
}

/**
 * TLS by node:tls, on sockets and on the in-process network alike. Nothing is resumed: each handshake reads the material
 * of its moment, and a peer is judged by the trust of that moment.
 */
export function createTls({ certificates = 'openssl', clock = systemClock }: TlsOptions = {}): Tls {
  const strictAt = (): number | undefined => (certificates === 'strict' ? clock.now() : undefined)
  return {
    async accept(connection, context) {
      try {
        return await acceptTls(connection, context, strictAt())
      } catch (error) {
        connection.destroy()
        throw error
      }
    },
    async connect(connection, context) {
      try {
        return await connectTls(connection, context, strictAt())
      } catch (error) {
        connection.destroy()
        throw error
      }
    },
  }
}
