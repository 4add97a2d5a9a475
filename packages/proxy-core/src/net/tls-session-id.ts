import { childrenOf, contentOf, type DerElement, readDer, TAG } from './x509/der.js'

/** Where OpenSSL's SSL_SESSION_ASN1 has it: after two versions and the cipher. */
const SESSION_ID = 3

/** The identifier in a session as node:tls hands it out, lower-case hex; undefined where there is none. */
export function sessionIdOf(session: Uint8Array | undefined): string | undefined {
  const element = session && findSession(session)
  if (session === undefined || element === undefined) return undefined
  const id = childrenOf(session, element)[SESSION_ID]
  if (id?.tag !== TAG.octetString || id.start === id.end) return undefined
  return Buffer.from(contentOf(session, id)).toString('hex')
}

/** The last thing in it: since Node 22 a client's session begins with a label that says whom it is for. */
function findSession(session: Uint8Array): DerElement | undefined {
  for (let at = session.indexOf(TAG.sequence); at >= 0; at = session.indexOf(TAG.sequence, at + 1)) {
    try {
      const element = readDer(session, at)
      if (element.end === session.length) return element
    } catch {
      // A letter of the label.
    }
  }
  return undefined
}
