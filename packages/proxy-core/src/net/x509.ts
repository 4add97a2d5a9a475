import { X509Certificate } from 'node:crypto'
import { ipv6Text } from './address.js'
import type { PeerCertificate } from './connection.js'
import type { PeerSan } from './tls.js'

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
  const certificate = readElement(der, 0, der.length)
  const tbs = certificate === undefined ? undefined : readElement(der, certificate.start, certificate.end)
  if (tbs === undefined) return NO_SAN
  for (const part of elementsOf(der, tbs)) {
    if (part.tag !== EXTENSIONS) continue
    const list = readElement(der, part.start, part.end)
    if (list === undefined) return NO_SAN
    for (const extension of elementsOf(der, list)) {
      const names = subjectAltNameOf(der, extension)
      if (names !== undefined) return readNames(der, names)
    }
  }
  return NO_SAN
}

interface Element {
  readonly tag: number
  readonly start: number
  readonly end: number
}

const EXTENSIONS = 0xa3
const OCTET_STRING = 0x04
const SAN_OID = [0x06, 0x03, 0x55, 0x1d, 0x11]

function readElement(der: Uint8Array, at: number, end: number): Element | undefined {
  if (at + 2 > end) return undefined
  const tag = der[at]!
  let length = der[at + 1]!
  let start = at + 2
  if (length >= 0x80) {
    const bytes = length & 0x7f
    if (bytes === 0 || bytes > 4 || start + bytes > end) return undefined
    length = 0
    for (let i = 0; i < bytes; i++) length = length * 256 + der[start + i]!
    start += bytes
  }
  return start + length > end ? undefined : { tag, start, end: start + length }
}

function elementsOf(der: Uint8Array, parent: Element): Element[] {
  const elements: Element[] = []
  let at = parent.start
  while (at < parent.end) {
    const element = readElement(der, at, parent.end)
    if (element === undefined) return elements
    elements.push(element)
    at = element.end
  }
  return elements
}

function subjectAltNameOf(der: Uint8Array, extension: Element): Element | undefined {
  if (SAN_OID.some((byte, i) => der[extension.start + i] !== byte)) return undefined
  const value = elementsOf(der, extension).find((element) => element.tag === OCTET_STRING)
  return value === undefined ? undefined : readElement(der, value.start, value.end)
}

const EMAIL = 0x81
const DNS = 0x82
const URI = 0x86
const IP = 0x87

function readNames(der: Uint8Array, names: Element): PeerSan {
  const san = { uris: [] as string[], dns: [] as string[], ips: [] as string[], emails: [] as string[] }
  for (const { tag, start, end } of elementsOf(der, names)) {
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

function ipText(bytes: Uint8Array): string | undefined {
  if (bytes.length === 4) return bytes.join('.')
  return bytes.length === 16 ? ipv6Text(bytes) : undefined
}
