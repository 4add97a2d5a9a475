import { X509Certificate } from 'node:crypto'
import { dropOldest } from '@heddle/runtime'
import type { PeerCertificate } from '../connection.js'
import type { OtherName, PeerSan } from '../tls.js'
import { EXTENSION } from './certificate.js'
import { childrenOf, contentOf, type DerElement, expectTag, oidOf, onlyDer, readDer, TAG } from './der.js'
import { ipText } from './host-names.js'
import { derOf, toPem } from './pem.js'

const NO_SAN: PeerSan = { uris: [], dns: [], ips: [], emails: [], otherNames: [] }

/** A peer's leaf certificate, with all its names. */
export interface DescribedPeer extends Omit<PeerCertificate, 'chain' | 'issuer'> {
  readonly san: PeerSan
  /** SHA-256 of the DER as node:crypto writes it. */
  readonly fingerprint: string
}

// The few workloads that call here come again and again, and reading a certificate costs a share of the handshake.
const described = new Map<string, DescribedPeer>()
const MAX_DESCRIBED = 1_000

/** A leaf certificate as headers and policies see it. */
export function describePeer(certificate: X509Certificate): DescribedPeer {
  const { fingerprint256 } = certificate
  return described.get(fingerprint256) ?? describe(certificate, fingerprint256)
}

/** The next description of this certificate costs next to nothing. Of more than 1,000 the one that was kept first is forgotten. */
export function keepDescription(peer: DescribedPeer): void {
  if (described.has(peer.fingerprint)) return
  described.set(peer.fingerprint, peer)
  dropOldest(described, MAX_DESCRIBED)
}

/** RFC 2253 of what node:crypto writes on lines. */
const rfc2253 = (name: string | undefined): string => (name ?? '').split('\n').reverse().join(',')

export const subjectOf = (der: Uint8Array): string => rfc2253(new X509Certificate(der).subject)
export const issuerNameOf = (der: Uint8Array): string => rfc2253(new X509Certificate(der).issuer)

function describe(certificate: X509Certificate, fingerprint: string): DescribedPeer {
  const { raw, serialNumber, subject, validFrom, validTo } = certificate
  const san = readSubjectAltNames(raw)
  const validity = { from: Date.parse(validFrom), to: Date.parse(validTo) }
  return {
    serial: serialNumber.toLowerCase(),
    hash: fingerprint.replaceAll(':', '').toLowerCase(),
    fingerprint,
    subject: rfc2253(subject),
    uris: san.uris,
    dns: san.dns,
    der: raw,
    san,
    validity: () => validity,
    pem: () => toPem(raw),
  }
}

/** DER of who issued a certificate: one of those that came after it in its chain, or a trust anchor. `trustBundle`: PEM. */
export function issuerOf([leaf, ...others]: readonly Uint8Array[], trustBundle: string): Uint8Array | undefined {
  if (leaf === undefined) return undefined
  const certificate = new X509Certificate(leaf)
  return [...others, ...derOf(trustBundle)].find((der) => certificate.checkIssued(new X509Certificate(der)))
}

/**
 * subjectAltName by its bytes (RFC 5280 §4.2.1.6): a printed form can be made to look like other names. Names with a NUL or
 * anything but ASCII are left out, so that nothing matches them.
 */
export function readSubjectAltNames(der: Uint8Array): PeerSan {
  try {
    const names = findNames(der)
    return names === undefined ? NO_SAN : readNames(der, names)
  } catch {
    return NO_SAN
  }
}

const EXTENSIONS = 0xa3

function findNames(der: Uint8Array): DerElement | undefined {
  const [tbs] = childrenOf(der, onlyDer(der, TAG.sequence))
  const wrapper = childrenOf(der, expectTag(tbs, TAG.sequence)).find(({ tag }) => tag === EXTENSIONS)
  if (wrapper === undefined) return undefined
  for (const extension of childrenOf(der, readDer(der, wrapper.start, wrapper.end))) {
    const parts = childrenOf(der, extension)
    const value = expectTag(parts.at(-1), TAG.octetString)
    if (oidOf(der, parts[0]!) === EXTENSION.subjectAltName) return readDer(der, value.start, value.end)
  }
  return undefined
}

const OTHER_NAME = 0xa0
const EMAIL = 0x81
const DNS = 0x82
const URI = 0x86
const IP = 0x87

function readNames(der: Uint8Array, names: DerElement): PeerSan {
  const san = {
    ...{ uris: [] as string[], dns: [] as string[], ips: [] as string[], emails: [] as string[] },
    otherNames: [] as OtherName[],
  }
  for (const name of childrenOf(der, names)) {
    const { tag, start, end } = name
    const bytes = der.subarray(start, end)
    if (tag === IP) {
      const ip = ipText(bytes)
      if (ip !== undefined) san.ips.push(ip)
      continue
    }
    if (tag === OTHER_NAME) {
      san.otherNames.push(...readOtherName(der, name))
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

/** `type-id OBJECT IDENTIFIER, value [0] EXPLICIT ANY`. None: of a kind that is not read here. */
function readOtherName(der: Uint8Array, name: DerElement): readonly OtherName[] {
  try {
    const [type, wrapper] = childrenOf(der, name)
    const { start, end } = expectTag(wrapper, OTHER_NAME)
    const value = readDer(der, start, end)
    const bytes = Buffer.from(contentOf(der, value))
    const number = value.tag === TAG.integer ? BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`)) : undefined
    return [{ type: oidOf(der, expectTag(type, TAG.oid)), value: number?.toString() ?? bytes.toString('latin1') }]
  } catch {
    return []
  }
}
