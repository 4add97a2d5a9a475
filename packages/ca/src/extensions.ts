import { createHash } from 'node:crypto'
import { readBitString, readDer } from './der/reader.js'
import { bitString, boolean, contextPrimitive, type Der, octetString, oid, sequence } from './der/writer.js'

/** A name in a certificate, by its type (RFC 5280 §4.2.1.6). */
export type SubjectAltName = { readonly uri: string } | { readonly dns: string } | { readonly ip: string }

const IP = 7
const URI = 6
const DNS = 2

/** GeneralNames. */
export function subjectAltName(names: readonly SubjectAltName[]): Der {
  const text = new TextEncoder()
  return sequence(
    ...names.map((name) => {
      if ('uri' in name) return contextPrimitive(URI, text.encode(ascii(name.uri)))
      return 'dns' in name ? contextPrimitive(DNS, text.encode(ascii(name.dns))) : contextPrimitive(IP, ipBytes(name.ip))
    }),
  )
}

/** IA5String holds ASCII; anything else would be read differently by different readers. */
function ascii(name: string): string {
  if (!/^[\x21-\x7e]+$/.test(name)) throw new TypeError(`${JSON.stringify(name)} is not a name that a certificate can hold`)
  return name
}

function ipBytes(ip: string): Uint8Array {
  const bytes = ip.includes(':') ? ipv6Bytes(ip) : ipv4Bytes(ip)
  if (bytes === undefined) throw new TypeError(`${JSON.stringify(ip)} is not an IP address`)
  return bytes
}

function ipv4Bytes(ip: string): Uint8Array | undefined {
  const parts = ip.split('.')
  const ok = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)
  return ok ? Uint8Array.from(parts.map(Number)) : undefined
}

function ipv6Bytes(ip: string): Uint8Array | undefined {
  const [head = '', tail, ...more] = ip.split('::')
  const groups = (text: string | undefined): string[] => (text === undefined || text === '' ? [] : text.split(':'))
  const [front, back] = [groups(head), groups(tail)]
  const missing = 8 - front.length - back.length
  // `::` stands for one group of zeros at least.
  if (more.length > 0 || (tail === undefined ? missing !== 0 : missing < 1)) return undefined
  const all = [...front, ...Array<string>(missing).fill('0'), ...back]
  if (!all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined
  return Uint8Array.from(all.map((group) => Number.parseInt(group, 16)).flatMap((group) => [group >> 8, group & 0xff]))
}

function extension(id: string, critical: boolean, value: Der): Der {
  return critical ? sequence(oid(id), boolean(true), octetString(value)) : sequence(oid(id), octetString(value))
}

/** First bit is digitalSignature; trailing zero bits are cut off, as DER wants of a named bit list. */
const KEY_USAGE = {
  leaf: bitString(Uint8Array.of(0x80), 7),
  rsaLeaf: bitString(Uint8Array.of(0xa0), 5),
  authority: bitString(Uint8Array.of(0x06), 1),
} as const
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'

/** RFC 5280 §4.2.1.2 method 1: SHA-1 of the key's bits; an identifier, not a protection. */
export function keyIdentifier(publicKeyInfo: Uint8Array): Uint8Array {
  const read = readDer(publicKeyInfo)
  const bits = read.ok ? readBitString(read.value.children[1]) : undefined
  return new Uint8Array(
    createHash('sha1')
      .update(bits ?? publicKeyInfo)
      .digest(),
  )
}

export interface LeafExtensions {
  readonly names: readonly SubjectAltName[]
  readonly publicKeyInfo: Uint8Array
  /** RSA keys may also encipher keys (TLS 1.2 without forward secrecy; peers expect it). */
  readonly rsa: boolean
  readonly issuerKeyId: Uint8Array
}

/** Of a leaf, by SPIFFE X509-SVID §4: not a CA, digitalSignature without keyCertSign, both TLS purposes, names critical because there is no subject. */
export function leafExtensions({ names, publicKeyInfo, rsa, issuerKeyId }: LeafExtensions): Der {
  return sequence(
    extension('2.5.29.15', true, rsa ? KEY_USAGE.rsaLeaf : KEY_USAGE.leaf),
    extension('2.5.29.37', false, sequence(oid(SERVER_AUTH), oid(CLIENT_AUTH))),
    extension('2.5.29.19', true, sequence()),
    extension('2.5.29.14', false, octetString(keyIdentifier(publicKeyInfo))),
    extension('2.5.29.35', false, sequence(contextPrimitive(0, issuerKeyId))),
    extension('2.5.29.17', true, subjectAltName(names)),
  )
}

/** Of a self-signed root or an intermediate; `trustDomain` makes it an SVID of its own (SPIFFE-ID §3.1, X509-SVID §3.2). */
export function authorityExtensions(
  publicKeyInfo: Uint8Array,
  issuerKeyId: Uint8Array | undefined,
  trustDomain: string | undefined,
): Der {
  return sequence(
    extension('2.5.29.15', true, KEY_USAGE.authority),
    extension('2.5.29.19', true, sequence(boolean(true))),
    extension('2.5.29.14', false, octetString(keyIdentifier(publicKeyInfo))),
    ...(issuerKeyId === undefined ? [] : [extension('2.5.29.35', false, sequence(contextPrimitive(0, issuerKeyId)))]),
    ...(trustDomain === undefined ? [] : [extension('2.5.29.17', false, subjectAltName([{ uri: `spiffe://${trustDomain}` }]))]),
  )
}
