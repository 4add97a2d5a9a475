import { TLSSocket } from 'node:tls'
import { type ClientHello, readClientHello } from './client-hello.js'
import type { Connection } from './connection.js'
import { peek } from './peek.js'
import type { ServerTlsContext } from './tls.js'
import { establish, handshake, transportOf } from './tls-handshake.js'
import { secureContextOf } from './tls-material.js'

/** Ends TLS on an accepted connection. */
export async function acceptTls(connection: Connection, context: ServerTlsContext): Promise<Connection> {
  const hello = await clientHelloOf(connection)
  const material = context.material.current
  if (material === undefined) throw new Error('the certificate for this listener has not come yet')
  const asksForCertificate = material.trustBundle !== undefined || context.requireClientCertificate
  const protocol = context.alpn.find((name) => hello.alpn.includes(name))
  const secureContext = secureContextOf(material, context)
  const socket = new TLSSocket(transportOf(connection), {
    isServer: true,
    secureContext,
    requestCert: asksForCertificate,
    rejectUnauthorized: false,
    // A client that offers only strangers is served without ALPN, as Envoy does; node:tls alone would refuse it.
    ...(protocol === undefined ? {} : { ALPNProtocols: [protocol] }),
  })
  await handshake(socket, 'secure')
  const presented = asksForCertificate && socket.getPeerX509Certificate() !== undefined
  const problem = presented ? verifyError(socket) : undefined
  if (problem !== undefined || (context.requireClientCertificate && !presented)) {
    socket.destroy()
    throw new Error(problem ?? 'the client presented no certificate')
  }
  const verified = presented && material.trustBundle !== undefined
  return establish({ socket, inner: connection, material, verified, sni: hello.serverName }, context.allowPeer)
}

async function clientHelloOf(connection: Connection): Promise<ClientHello> {
  const outcome = await peek(connection, (bytes) => {
    const read = readClientHello(bytes)
    return read.kind === 'more' ? undefined : read
  }).found
  if (outcome?.kind !== 'hello') {
    connection.destroy()
    throw new Error(outcome === undefined ? 'the connection ended before a ClientHello' : 'the client does not speak TLS')
  }
  return outcome.hello
}

/**
 * Why the client's chain is not trusted, in OpenSSL's word; undefined when it is. Node tells it only to its own servers; when
 * it cannot be asked, nobody is trusted.
 */
function verifyError(socket: TLSSocket): string | undefined {
  const handle = (socket as unknown as { _handle?: { verifyError?: () => (Error & { code?: string }) | null } | null })._handle
  if (typeof handle?.verifyError !== 'function') return 'the certificate of the client could not be verified'
  const error = handle.verifyError()
  return error === null || error === undefined ? undefined : (error.code ?? error.message)
}
