import type { X509Certificate } from 'node:crypto'
import { type ConnectionOptions, connect } from 'node:tls'
import { isIpAddress } from './address.js'
import type { Connection } from './connection.js'
import { joinRules } from './peer-rules.js'
import type { ClientTlsContext } from './tls.js'
import { establish, handshake, transportOf, type Verification } from './tls-handshake.js'
import { secureContextOf } from './tls-material.js'
import type { ClientSessions, SessionTerms } from './tls-sessions.js'

/** Begins TLS on an outgoing connection. The chain is verified against the trust bundle; names are the SAN matchers' matter. */
export async function connectTls(
  connection: Connection,
  context: ClientTlsContext,
  verification: Verification,
  sessions: ClientSessions,
): Promise<Connection> {
  const material = context.material.current
  if (material === undefined) {
    connection.destroy()
    throw new Error('the certificates for this cluster have not come yet')
  }
  const { sni, alpn, resumes = true } = context
  const terms: SessionTerms = { context, material, server: connection.remote }
  // Our own verification wants the whole chain each time.
  const tickets = !verification.strict && resumes
  const known = tickets ? sessions.get(terms) : undefined
  const options: ConnectionOptions = {
    socket: transportOf(connection),
    secureContext: secureContextOf(material, { terms: context, tickets }),
    // The peer is judged below, by all rules at once.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    // RFC 6066 §3: no addresses in SNI.
    servername: sni === undefined || isIpAddress(sni) ? '' : sni,
    ...(alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
    ...(known === undefined ? {} : { session: known.session }),
  }
  const socket = connect(options)
  let leaf: X509Certificate | undefined
  let early: Buffer | undefined
  const keep = (session: Buffer): void => {
    if (leaf === undefined) early = session
    else if (tickets) sessions.keep(terms, { session, leaf })
  }
  // In TLS 1.2 one comes before the handshake has ended, in TLS 1.3 with the server's first bytes.
  socket.on('session', keep)
  await handshake(socket, 'secureConnect')
  // Once only: Node takes the certificate out of the chain that it tells of.
  leaf = socket.isSessionReused() ? known?.leaf : socket.getPeerX509Certificate()
  if (early !== undefined) keep(early)
  const rules = joinRules(context.rules, material.rules)
  const { mustBeNamed } = context
  return establish({ socket, leaf, inner: connection, material, sni, rules, mustBeNamed, purpose: 'server', verification })
}
