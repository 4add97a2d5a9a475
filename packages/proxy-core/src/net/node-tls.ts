import type { Tls } from './tls.js'
import { connectTls } from './tls-client.js'
import { acceptTls } from './tls-server.js'

/**
 * TLS by node:tls, on sockets and on the in-process network alike. Nothing is resumed: each handshake reads the material
 * of its moment, and a peer is judged by the trust of that moment.
 */
export function createTls(): Tls {
  return {
    async accept(connection, context) {
      try {
        return await acceptTls(connection, context)
      } catch (error) {
        connection.destroy()
        throw error
      }
    },
    async connect(connection, context) {
      try {
        return await connectTls(connection, context)
      } catch (error) {
        connection.destroy()
        throw error
      }
    },
  }
}
