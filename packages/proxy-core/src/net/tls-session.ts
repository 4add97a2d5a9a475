import { childrenOf, contentOf, type DerElement, readDer, TAG } from './x509/der.js'

/** What TLS agreed on and node:tls tells in its sessions alone. */
export interface SessionFacts {
  /** Lower-case hex; undefined where there is none. */
  readonly id?: string | undefined
  /** BoringSSL's name of the group of the key exchange; undefined without one, as with RSA's. */
  readonly group?: string | undefined
}

/** Where OpenSSL's SSL_SESSION_ASN1 has the identifier: after two versions and the cipher. */
const SESSION_ID = 3
/** Of its `kex_group`: [19], explicit. */
const KEX_GROUP = 0xb3

/** By their numbers in IANA's registry, as BoringSSL writes them. */
const GROUPS: ReadonlyMap<number, string> = new Map([
  [23, 'P-256'],
  [24, 'P-384'],
  [25, 'P-521'],
  [29, 'X25519'],
  [30, 'X448'],
  [0x11eb, 'SecP256r1MLKEM768'],
  [0x11ec, 'X25519MLKEM768'],
  [0x11ed, 'SecP384r1MLKEM1024'],
])

/** Reads a session as node:tls hands it out; nothing of what is none. */
export function readSession(session: Uint8Array | undefined): SessionFacts {
  const element = session && findSession(session)
  if (session === undefined || element === undefined) return {}
  const fields = childrenOf(session, element)
  const id = fields[SESSION_ID]
  const group = fields.findLast(({ tag }) => tag === KEX_GROUP)
  return {
    id: id?.tag === TAG.octetString && id.start < id.end ? Buffer.from(contentOf(session, id)).toString('hex') : undefined,
    group: group && groupOf(contentOf(session, group)),
  }
}

/** An INTEGER, which is 0 without such an exchange. */
function groupOf(integer: Uint8Array): string | undefined {
  const number = integer.subarray(2).reduce((sum, byte) => sum * 256 + byte, 0)
  if (number === 0) return undefined
  return GROUPS.get(number) ?? `0x${number.toString(16).padStart(4, '0')}`
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
