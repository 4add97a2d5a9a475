import type { X509Certificate } from 'node:crypto'
import { type SecureContext, TLSSocket, type TLSSocketOptions } from 'node:tls'
import { type ClientHello, readClientHello } from './client-hello.js'
import type { Connection } from './connection.js'
import { peek } from './peek.js'
import { joinRules, needsCertificate, PeerRefusedError, type PeerRules, requiresCertificate } from './peer-rules.js'
import type { ServerTlsContext, TlsMaterial } from './tls.js'
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
  // Our own verification wants the whole chain each time.
  const offer = offerOf(context, material, !verification.strict)
  const { tickets, rules } = offer
  const secureContext = offer.secureContext(hello.serverName)
  const protocol = context.alpn.find((name) => hello.alpn.includes(name))
  const socket = new TLSSocket(transportOf(connection), {
    isServer: true,
    secureContext,
    requestCert: offer.asksForCertificate,
    rejectUnauthorized: false,
    // A client that offers only strangers is served without ALPN, as Envoy does; node:tls alone would refuse it.
    ALPNProtocols: protocol === undefined ? undefined : [protocol],
  } as TLSSocketOptions)
  await handshake(socket, 'secure')
  const leaf = clientOf(socket, secureContext, tickets)
  if (offer.mustBeShown && leaf === undefined) {
    socket.destroy()
    throw new PeerRefusedError('fail_verify_no_cert', 'the client presented no certificate')
  }
  const { serverName: sni } = hello
  const secured = establish({ socket, leaf, inner: connection, material, sni, rules, purpose: 'client', verification })
  // Only of who was let in.
  if (tickets && leaf !== undefined && !socket.isSessionReused()) rememberPeer(secureContext, leaf)
  return secured
}

/** What a server says to every client, as long as its material is the same. */
interface Offer {
  readonly material: TlsMaterial
  readonly mayGiveTickets: boolean
  readonly tickets: boolean
  readonly rules: PeerRules
  readonly asksForCertificate: boolean
  readonly mustBeShown: boolean
  secureContext(serverName: string | undefined): SecureContext
}

const offers = new WeakMap<ServerTlsContext, Offer>()

function offerOf(context: ServerTlsContext, material: TlsMaterial, mayGiveTickets: boolean): Offer {
  let offer = offers.get(context)
  if (offer?.material !== material || offer.mayGiveTickets !== mayGiveTickets) {
    offer = makeOffer(context, material, mayGiveTickets)
    offers.set(context, offer)
  }
  return offer
}

function makeOffer(context: ServerTlsContext, material: TlsMaterial, mayGiveTickets: boolean): Offer {
  const rules = joinRules(context.rules, material.rules)
  const asksForCertificate = material.trustBundle !== undefined || context.requireClientCertificate || needsCertificate(rules)
  const mustBeShown = context.requireClientCertificate || requiresCertificate(rules)
  const { sessionTimeoutS, prefersClientCiphers, scansAllCertificates } = context
  const tickets = mayGiveTickets && (sessionTimeoutS ?? 0) > 0
  const uses = { terms: context, tickets, sessionTimeoutS, asksForCertificate, prefersClientCiphers, scansAllCertificates }
  let only: SecureContext | undefined
  return {
    ...{ material, mayGiveTickets, tickets, rules, asksForCertificate, mustBeShown },
    secureContext(serverName) {
      // Of one certificate there is no choice.
      if (material.others !== undefined) return secureContextOf(material, uses, serverName)
      return (only ??= secureContextOf(material, uses))
    },
  }
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
