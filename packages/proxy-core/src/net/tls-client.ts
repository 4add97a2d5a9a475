import { type ConnectionOptions, connect } from 'node:tls'
import { isIpAddress } from './address.js'
import type { Connection } from './connection.js'
import { joinRules } from './peer-rules.js'
import type { ClientTlsContext } from './tls.js'
import { establish, handshake, transportOf } from './tls-handshake.js'
import { secureContextOf } from './tls-material.js'

/** Begins TLS on an outgoing connection. The chain is verified against the trust bundle; names are the SAN matchers' matter. */
export async function connectTls(connection: Connection, context: ClientTlsContext, strictAt?: number): Promise<Connection> {
  const material = context.material.current
  if (material === undefined) {
    connection.destroy()
    throw new Error('the certificates for this cluster have not come yet')
  }
  const { sni, alpn } = context
  const options: ConnectionOptions = {
    socket: transportOf(connection),
    secureContext: secureContextOf(material, context),
    // The peer is judged below, by all rules at once.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    // RFC 6066 §3: no addresses in SNI.
    servername: sni === undefined || isIpAddress(sni) ? '' : sni,
    ...(alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
  }
  const socket = connect(options)
  await handshake(socket, 'secureConnect')
  const rules = joinRules(context.rules, material.rules)
  const { mustBeNamed } = context
  return establish({ socket, inner: connection, material, sni, rules, mustBeNamed, purpose: 'server', strictAt })
}
