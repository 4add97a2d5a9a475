import { X509Certificate } from 'node:crypto'
import { dropOldest } from '@heddle/runtime'
import type { PeerCertificate } from '../connection.js'
import type { PeerSan } from '../tls.js'
import { EXTENSION } from './certificate.js'
import { childrenOf, type DerElement, expectTag, oidOf, onlyDer, readDer, TAG } from './der.js'
import { ipText } from './host-names.js'
import { toPem } from './pem.js'

const NO_SAN: PeerSan = { uris: [], dns: [], ips: [], emails: [] }

/** A peer's leaf certificate, with all its names. */
export type DescribedPeer = PeerCertificate & { readonly san: PeerSan }
type Described = Omit<DescribedPeer, 'chainPem'>

// By their SHA-256, as node:crypto writes it: the few workloads that call here come again and again, and reading a certificate costs a share of the handshake.
const described = new Map<string, Described>()
const MAX_DESCRIBED = 1_000

/** A leaf certificate as headers and policies see it. `chain`: DER of the verified chain, leaf first. */
export function describePeer(certificate: X509Certificate, chain: () => readonly Uint8Array[]): DescribedPeer {
  const hash = certificate.fingerprint256.replaceAll(':', '').toLowerCase()
  const known = described.get(hash) ?? describe(certificate, hash)
  return { ...known, chainPem: () => chain().map(toPem).join('') }
}

/** The next description of this certificate costs next to nothing. Of more than 1,000 the one that was not kept for longest is forgotten. */
export function keepDescription({ chainPem, ...certificate }: DescribedPeer): void {
  described.delete(certificate.hash)
  described.set(certificate.hash, certificate)
  dropOldest(described, MAX_DESCRIBED)
}

function describe(certificate: X509Certificate, hash: string): Described {
  const { raw, serialNumber, subject, validFrom, validTo } = certificate
  const san = readSubjectAltNames(raw)
  const validity = { from: Date.parse(validFrom), to: Date.parse(validTo) }
  return {
    serial: serialNumber.toLowerCase(),
    hash,
    subject: subject === undefined ? '' : subject.split('\n').reverse().join(','),
    uris: san.uris,
    dns: san.dns,
    der: raw,
    san,
    validity: () => validity,
    pem: () => toPem(raw),
  }
}

/** URI SANs of the first certificate of a PEM chain; none when it cannot be read. */
export function urisOfPem(pem: string): readonly string[] {
  try {
    return readSubjectAltNames(new X509Certificate(pem).raw).uris
  } catch {
    return []
  }
}

/**
 * subjectAltName by its bytes (RFC 5280 §4.2.1.6): a printed form can be made to look like other names. Names with a NUL or
 * anything but ASCII are left out, so that nothing matches them.
 */
export function readSubjectAltNames(der: Uint8Array): PeerSan {
  try {
    return findNames(der)
  } catch {
    return NO_SAN
  }
}

const EXTENSIONS = 0xa3

function findNames(der: Uint8Array): PeerSan {
  const [tbs] = childrenOf(der, onlyDer(der, TAG.sequence))
  const wrapper = childrenOf(der, expectTag(tbs, TAG.sequence)).find(({ tag }) => tag === EXTENSIONS)
  if (wrapper === undefined) return NO_SAN
  for (const extension of childrenOf(der, readDer(der, wrapper.start, wrapper.end))) {
    const parts = childrenOf(der, extension)
    const value = expectTag(parts.at(-1), TAG.octetString)
    if (oidOf(der, parts[0]!) === EXTENSION.subjectAltName) return readNames(der, readDer(der, value.start, value.end))
  }
  return NO_SAN
}

const EMAIL = 0x81
const DNS = 0x82
const URI = 0x86
const IP = 0x87

function readNames(der: Uint8Array, names: DerElement): PeerSan {
  const san = { uris: [] as string[], dns: [] as string[], ips: [] as string[], emails: [] as string[] }
  for (const { tag, start, end } of childrenOf(der, names)) {
    const bytes = der.subarray(start, end)
    if (tag === IP) {
      const ip = ipText(bytes)
      if (ip !== undefined) san.ips.push(ip)
      continue
    }
    if (bytes.some((byte) => byte < 0x20 || byte > 0x7e)) continue
    const text = Buffer.from(bytes).toString('latin1')
    if (tag === URI) san.uris.push(text)
    else if (tag === DNS) san.dns.push(text)
    else if (tag === EMAIL) san.emails.push(text)
  }
  return san
}
