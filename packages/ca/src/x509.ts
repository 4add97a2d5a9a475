import { fail, ok, problem, type Result } from '@heddle/runtime'
import { type DerNode, readDer, readOid } from './der/reader.js'
import { readTime } from './der/time.js'
import type { SubjectAltName } from './extensions.js'

/** What a certificate says, read from its bytes: names, and what its key may be used for. */
export interface X509View {
  readonly der: Uint8Array
  /** Lower-case hex without leading zeros, as `openssl x509 -serial` has it in capitals. */
  readonly serial: string
  /** Dotted OID of the algorithm that the issuer signed with. */
  readonly signatureAlgorithm: string
  /** Names, DER as they stand. */
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  readonly publicKeyInfo: Uint8Array
  /** Milliseconds since the epoch, both inclusive. */
  readonly notBefore: number
  readonly notAfter: number
  /** URI, DNS and IP names; others count in `otherNames`. */
  readonly names: readonly SubjectAltName[]
  /** Names of types that are not read: e-mail addresses, directory names, … */
  readonly otherNames: number
  readonly namesCritical: boolean
  readonly constraints: { readonly ca: boolean; readonly pathLength: number | undefined } | undefined
  readonly keyUsage: { readonly critical: boolean; readonly uses: ReadonlySet<KeyUse> } | undefined
  /** Dotted OIDs; undefined without the extension. */
  readonly extendedKeyUsage: readonly string[] | undefined
  /** Dotted OIDs of critical extensions that nothing here understands: who validates must refuse them (RFC 5280 §4.2). */
  readonly unknownCritical: readonly string[]
}

const KEY_USES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const
export type KeyUse = (typeof KEY_USES)[number]

const OID = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const
const KNOWN: ReadonlySet<string> = new Set(Object.values(OID))

interface Extension {
  readonly critical: boolean
  readonly value: DerNode
}

class Malformed extends Error {}

/**
 * Reads an X.509 version 3 certificate (RFC 5280 §4.1) strictly: DER throughout, each extension once, and names of printable ASCII
 * only. What is odd is refused as a whole, so that no part of it counts. No signature is checked.
 */
export function readX509(der: Uint8Array): Result<X509View> {
  const read = readDer(der)
  if (!read.ok) return read
  try {
    return ok(viewOf(der, read.value))
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    return fail(problem('ca.certificate', '', error.message))
  }
}

function viewOf(der: Uint8Array, certificate: DerNode): X509View {
  const [tbs, algorithm, signature, ...rest] = certificate.children
  const [version, serial, innerAlgorithm, issuer, validity, subject, spki, ...others] = tbs?.children ?? []
  if (version?.tag !== 0xa0 || version.children[0]?.content[0] !== 2 || signature?.tag !== 0x03 || rest.length > 0)
    throw new Malformed('it is not an X.509 version 3 certificate')
  if (issuer?.tag !== 0x30 || validity?.tag !== 0x30 || subject?.tag !== 0x30 || spki?.tag !== 0x30)
    throw new Malformed('it is not an X.509 version 3 certificate')
  const signatureAlgorithm = readOid(algorithm?.children[0])
  if (signatureAlgorithm === undefined || !sameBytes(algorithm?.raw, innerAlgorithm?.raw))
    throw new Malformed('it names two signature algorithms')
  const [notBefore, notAfter] = validity.children.map(readTime)
  if (notBefore === undefined || notAfter === undefined) throw new Malformed('its validity is no pair of times')
  const extensions = extensionsOf(others.find(({ tag }) => tag === 0xa3))
  return {
    der,
    serial: serialOf(serial),
    signatureAlgorithm,
    issuer: issuer.raw,
    subject: subject.raw,
    publicKeyInfo: spki.raw,
    notBefore,
    notAfter,
    ...namesOf(extensions.get(OID.subjectAltName)),
    constraints: constraintsOf(extensions.get(OID.basicConstraints)?.value),
    keyUsage: keyUsageOf(extensions.get(OID.keyUsage)),
    extendedKeyUsage: extensions.get(OID.extendedKeyUsage)?.value.children.map((node) => readOid(node) ?? ''),
    unknownCritical: [...extensions].flatMap(([id, { critical }]) => (critical && !KNOWN.has(id) ? [id] : [])),
  }
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i])
}

/** RFC 5280 §4.1.2.2: positive, at most 20 bytes. */
function serialOf(node: DerNode | undefined): string {
  if (node?.tag !== 0x02 || node.content.length === 0 || node.content.length > 21 || (node.content[0] as number) >= 0x80)
    throw new Malformed('its serial number is not positive, or too long')
  return serialHex(node.content)
}

/** A serial number as people write it. */
export function serialHex(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('hex')
    .replace(/^0+(?=.)/, '')
}

function extensionsOf(field: DerNode | undefined): ReadonlyMap<string, Extension> {
  const found = new Map<string, Extension>()
  for (const node of field?.children[0]?.children ?? []) {
    const id = readOid(node.children[0])
    const critical = node.children.length === 3 && node.children[1]?.tag === 0x01 && node.children[1].content[0] === 0xff
    const octets = node.children.at(-1)
    const value = octets?.tag === 0x04 ? readDer(octets.content) : undefined
    if (id === undefined || octets?.tag !== 0x04) throw new Malformed('an extension cannot be read')
    if (found.has(id)) throw new Malformed(`the extension ${id} is there twice`)
    // Extensions of other people hold what they like, as long as they are not ours to understand.
    if (value?.ok !== true && KNOWN.has(id)) throw new Malformed(`the extension ${id} is not DER`)
    found.set(id, { critical, value: value?.ok === true ? value.value : octets })
  }
  return found
}

function constraintsOf(node: DerNode | undefined): X509View['constraints'] {
  if (node === undefined) return undefined
  const [first, second] = node.children
  const ca = first?.tag === 0x01 && first.content[0] === 0xff
  const length = first?.tag === 0x02 ? first : second
  return { ca, pathLength: length?.tag === 0x02 && length.content.length === 1 ? length.content[0] : undefined }
}

function keyUsageOf(extension: Extension | undefined): X509View['keyUsage'] {
  if (extension === undefined) return undefined
  const { tag, content } = extension.value
  if (tag !== 0x03) throw new Malformed('its key usage is no BIT STRING')
  const uses = KEY_USES.filter((_, bit) => ((content[1 + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) !== 0)
  return { critical: extension.critical, uses: new Set(uses) }
}

function namesOf(extension: Extension | undefined): Pick<X509View, 'names' | 'otherNames' | 'namesCritical'> {
  const nodes = extension?.value.children ?? []
  const names = nodes.flatMap(({ tag, content }) => nameOf(tag, content))
  return { names, otherNames: nodes.length - names.length, namesCritical: extension?.critical ?? false }
}

const E_MAIL = 0x81
const DNS = 0x82
const URI = 0x86
const IP = 0x87

function nameOf(tag: number, content: Uint8Array): SubjectAltName[] {
  if (tag === IP) return [{ ip: ipText(content) }]
  if (tag !== URI && tag !== DNS && tag !== E_MAIL) return []
  // A NUL or a line break in a name is read differently by different readers (CVE-2025-66220, CVE-2021-44532).
  if (!content.every((byte) => byte > 0x20 && byte < 0x7f))
    throw new Malformed('a name in it has other bytes than printable ASCII')
  const text = String.fromCharCode(...content)
  return tag === URI ? [{ uri: text }] : tag === DNS ? [{ dns: text }] : []
}

function ipText(content: Uint8Array): string {
  if (content.length === 4) return content.join('.')
  if (content.length !== 16) throw new Malformed('an IP address in it has neither 4 nor 16 bytes')
  const groups = Array.from({ length: 8 }, (_, i) => ((content[2 * i] as number) << 8) | (content[2 * i + 1] as number))
  return groups.map((group) => group.toString(16)).join(':')
}
