import { TLSSocket } from 'node:tls'
import { type ClientHello, readClientHello } from './client-hello.js'
import type { Connection } from './connection.js'
import { peek } from './peek.js'
import { joinRules, needsCertificate, PeerRefusedError } from './peer-rules.js'
import type { ServerTlsContext } from './tls.js'
import { establish, handshake, transportOf } from './tls-handshake.js'
import { secureContextOf } from './tls-material.js'

/** Ends TLS on an accepted connection. */
export async function acceptTls(connection: Connection, context: ServerTlsContext, strictAt?: number): Promise<Connection> {
  const hello = await clientHelloOf(connection)
  const material = context.material.current
  if (material === undefined) throw new Error('the certificate for this listener has not come yet')
  const rules = joinRules(context.rules, material.rules)
  const asksForCertificate = material.trustBundle !== undefined || context.requireClientCertificate || needsCertificate(rules)
  const protocol = context.alpn.find((name) => hello.alpn.includes(name))
  const secureContext = secureContextOf(material, context, hello.serverName)
  const socket = new TLSSocket(transportOf(connection), {
    isServer: true,
    secureContext,
    requestCert: asksForCertificate,
    rejectUnauthorized: false,
    // A client that offers only strangers is served without ALPN, as Envoy does; node:tls alone would refuse it.
    ...(protocol === undefined ? {} : { ALPNProtocols: [protocol] }),
  })
  await handshake(socket, 'secure')
  if (context.requireClientCertificate && socket.getPeerX509Certificate() === undefined) {
    socket.destroy()
    throw new PeerRefusedError('fail_verify_no_cert', 'the client presented no certificate')
  }
  return establish({ socket, inner: connection, material, sni: hello.serverName, rules, purpose: 'client', strictAt })
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
