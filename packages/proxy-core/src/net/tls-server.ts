import type { X509Certificate } from 'node:crypto'
import { type SecureContext, TLSSocket } from 'node:tls'
import { type ClientHello, readClientHello } from './client-hello.js'
import type { Connection } from './connection.js'
import { peek } from './peek.js'
import { joinRules, needsCertificate, PeerRefusedError } from './peer-rules.js'
import type { ServerTlsContext } from './tls.js'
import { establish, handshake, transportOf, type Verification } from './tls-handshake.js'
import { secureContextOf } from './tls-material.js'
import { rememberedPeer, rememberPeer } from './tls-sessions.js'

/** Ends TLS on an accepted connection. `known`: its ClientHello, where somebody has read it and put it back. */
export async function acceptTls(
  connection: Connection,
  context: ServerTlsContext,
  verification: Verification,
  known?: ClientHello,
): Promise<Connection> {
  const hello = known ?? (await clientHelloOf(connection))
  if (context.requiresServerName === true && hello.serverName === undefined) {
    connection.destroy()
    throw new Error('the client asks for no server name')
  }
  const material = context.material.current
  if (material === undefined) throw new Error('the certificate for this listener has not come yet')
  const rules = joinRules(context.rules, material.rules)
  const asksForCertificate = material.trustBundle !== undefined || context.requireClientCertificate || needsCertificate(rules)
  const protocol = context.alpn.find((name) => hello.alpn.includes(name))
  // Our own verification wants the whole chain each time.
  const tickets = !verification.strict && (context.sessionTimeoutS ?? 0) > 0
  const { sessionTimeoutS, prefersClientCiphers, scansAllCertificates } = context
  const uses = { terms: context, tickets, sessionTimeoutS, asksForCertificate, prefersClientCiphers, scansAllCertificates }
  const secureContext = secureContextOf(material, uses, hello.serverName)
  const socket = new TLSSocket(transportOf(connection), {
    isServer: true,
    secureContext,
    requestCert: asksForCertificate,
    rejectUnauthorized: false,
    // A client that offers only strangers is served without ALPN, as Envoy does; node:tls alone would refuse it.
    ...(protocol === undefined ? {} : { ALPNProtocols: [protocol] }),
  })
  await handshake(socket, 'secure')
  const leaf = clientOf(socket, secureContext, tickets)
  if (context.requireClientCertificate && leaf === undefined) {
    socket.destroy()
    throw new PeerRefusedError('fail_verify_no_cert', 'the client presented no certificate')
  }
  const { serverName: sni } = hello
  const secured = establish({ socket, leaf, inner: connection, material, sni, rules, purpose: 'client', verification })
  // Only of who was let in.
  if (tickets && leaf !== undefined && !socket.isSessionReused()) rememberPeer(secureContext, leaf)
  return secured
}

/** The client's certificate, with its chain: of this handshake, or of the one that its ticket is from. */
function clientOf(socket: TLSSocket, context: SecureContext, givesTickets: boolean): X509Certificate | undefined {
  const leaf = socket.getPeerX509Certificate()
  return leaf !== undefined && givesTickets && socket.isSessionReused() ? rememberedPeer(context, leaf) : leaf
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
