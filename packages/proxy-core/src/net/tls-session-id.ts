import { childrenOf, contentOf, expectTag, onlyDer, TAG } from './x509/der.js'

/** Where OpenSSL's SSL_SESSION_ASN1 has it: after two versions and the cipher. */
const SESSION_ID = 3

/** The identifier in a session as OpenSSL writes it, lower-case hex; undefined where it is empty. */
export function sessionIdOf(session: Uint8Array | undefined): string | undefined {
  if (session === undefined) return undefined
  const element = childrenOf(session, onlyDer(session, TAG.sequence))[SESSION_ID]
  const id = contentOf(session, expectTag(element, TAG.octetString))
  return id.length === 0 ? undefined : Buffer.from(id).toString('hex')
}
