import { type Clock, systemClock } from '@heddle/runtime'
import type { Tls } from './tls.js'
import { connectTls } from './tls-client.js'
import type { Verification } from './tls-handshake.js'
import { acceptTls } from './tls-server.js'
import { createClientSessions } from './tls-sessions.js'

export interface TlsOptions {
  /**
   * How peers' certificates are verified. `openssl`, the default: as OpenSSL does it. `strict`: our own verification comes on top,
   * which holds certificates to every MUST of RFC 5280 and to the CA/Browser Forum's rules on keys and names; CAs of meshes often
   * do not keep to all of them.
   */
  readonly certificates?: 'openssl' | 'strict'
  /** For `strict`, and for certificates of peers that are known again. */
  readonly clock?: Clock
}

/**
 * TLS by node:tls, on sockets and on the in-process network alike. Each handshake reads the material of its moment, and a peer is
 * judged by the trust and the time of that moment, whether it is known again by a session or not.
 */
export function createTls({ certificates = 'openssl', clock = systemClock }: TlsOptions = {}): Tls {
  const sessions = createClientSessions()
  const verification = (): Verification => ({ strict: certificates === 'strict', at: clock.now() })
  return {
    async accept(connection, context, hello) {
      try {
        return await acceptTls(connection, context, verification(), hello)
      } catch (error) {
        connection.destroy()
        throw error
      }
    },
    async connect(connection, context) {
      try {
        return await connectTls(connection, context, verification(), sessions)
      } catch (error) {
        connection.destroy()
        throw error
      }
    },
  }
}
