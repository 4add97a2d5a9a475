import { X509Certificate } from 'node:crypto'
import type { PeerCertificate } from '../connection.js'
import type { PeerSan } from '../tls.js'
import { EXTENSION } from './certificate.js'
import { childrenOf, type DerElement, expectTag, oidOf, onlyDer, readDer, TAG } from './der.js'
import { ipText } from './host-names.js'

const NO_SAN: PeerSan = { uris: [], dns: [], ips: [], emails: [] }

/** A leaf certificate as headers and policies see it. `chain`: DER of the verified chain, leaf first. */
export function describePeer(
  certificate: X509Certificate,
  chain: () => readonly Uint8Array[],
): PeerCertificate & { readonly san: PeerSan } {
  const san = readSubjectAltNames(certificate.raw)
  return {
    serial: certificate.serialNumber.toLowerCase(),
    hash: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    subject: certificate.subject === undefined ? '' : certificate.subject.split('\n').reverse().join(','),
    uris: san.uris,
    dns: san.dns,
    der: certificate.raw,
    san,
    validity: () => ({ from: Date.parse(certificate.validFrom), to: Date.parse(certificate.validTo) }),
    pem: () => toPem(certificate.raw),
    chainPem: () => chain().map(toPem).join(''),
  }
}

export function toPem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
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
