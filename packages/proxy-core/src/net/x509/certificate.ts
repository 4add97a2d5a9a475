import { X509Certificate } from 'node:crypto'
import {
  bitsOf,
  booleanOf,
  childrenOf,
  contentOf,
  type DerElement,
  DerError,
  expectTag,
  oidOf,
  onlyDer,
  readDer,
  TAG,
  timeOf,
  wholeOf,
} from './der.js'

/** Object identifiers of extensions (RFC 5280 §4.2). */
export const EXTENSION = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  authorityKeyIdentifier: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
  inhibitAnyPolicy: '2.5.29.54',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
} as const

export interface CertificateExtension {
  readonly critical: boolean
  readonly value: Uint8Array
}

/** A certificate by its bytes, with what path validation asks of it. */
export interface ParsedCertificate {
  readonly der: Uint8Array
  readonly x509: X509Certificate
  /** 3 for v3. */
  readonly version: number
  /** Content of the INTEGER. */
  readonly serial: Uint8Array
  readonly signatureAlgorithm: string
  /** Names as DER, in hex: two names are the same only if these are. */
  readonly issuer: string
  readonly subject: string
  readonly subjectDer: Uint8Array
  readonly notBefore: number
  readonly notAfter: number
  /** The named curve of an EC key; undefined for other keys, `''` for a curve without a name. */
  readonly curve: string | undefined
  readonly extensions: ReadonlyMap<string, CertificateExtension>
  readonly isCa: boolean
  readonly pathLength: number | undefined
  /** Bits of keyUsage; undefined without the extension. */
  readonly keyUsage: ((bit: number) => boolean) | undefined
  readonly extendedKeyUsage: readonly string[] | undefined
}

/** Bits of keyUsage (RFC 5280 §4.2.1.3). */
export const KEY_USAGE = { keyCertSign: 5, crlSign: 6 } as const

const EC_PUBLIC_KEY = '1.2.840.10045.2.1'

/** Throws {@link DerError}, or what node:crypto throws. */
export function parseCertificate(der: Uint8Array): ParsedCertificate {
  const [tbs, outer] = childrenOf(der, onlyDer(der, TAG.sequence))
  const fields = [...childrenOf(der, expectTag(tbs, TAG.sequence))]
  const versioned = fields[0]?.tag === 0xa0 ? fields.shift() : undefined
  const [serial, inner, issuer, validity, subject, spki, ...rest] = fields
  const version = versioned === undefined ? 1 : der[readDer(der, versioned.start).start]! + 1
  const [notBefore, notAfter] = childrenOf(der, expectTag(validity, TAG.sequence))
  if (hex(der, outer) !== hex(der, inner)) throw new DerError('the two signature algorithms differ')
  const extensions = extensionsOf(
    der,
    rest.find(({ tag }) => tag === 0xa3),
  )
  const [isCa, pathLength] = basicConstraintsOf(extensions.get(EXTENSION.basicConstraints))
  return {
    der,
    x509: new X509Certificate(der),
    version,
    serial: contentOf(der, expectTag(serial, TAG.integer)),
    signatureAlgorithm: oidOf(der, childrenOf(der, expectTag(inner, TAG.sequence))[0]!),
    issuer: hex(der, issuer),
    subject: hex(der, subject),
    subjectDer: wholeOf(der, expectTag(subject, TAG.sequence)),
    notBefore: timeOf(der, notBefore!),
    notAfter: timeOf(der, notAfter!),
    curve: curveOf(der, expectTag(spki, TAG.sequence)),
    extensions,
    isCa,
    pathLength,
    ...usagesOf(extensions),
  }
}

function hex(der: Uint8Array, element: DerElement | undefined): string {
  return Buffer.from(wholeOf(der, expectTag(element, TAG.sequence))).toString('hex')
}

function extensionsOf(der: Uint8Array, wrapper: DerElement | undefined): ReadonlyMap<string, CertificateExtension> {
  const extensions = new Map<string, CertificateExtension>()
  if (wrapper === undefined) return extensions
  for (const extension of childrenOf(der, expectTag(readDer(der, wrapper.start, wrapper.end), TAG.sequence))) {
    const parts = childrenOf(der, expectTag(extension, TAG.sequence))
    const oid = oidOf(der, parts[0]!)
    const critical = parts.length === 3 && booleanOf(der, parts[1]!)
    if (extensions.has(oid)) throw new DerError(`the extension ${oid} comes twice`)
    extensions.set(oid, { critical, value: contentOf(der, expectTag(parts.at(-1), TAG.octetString)) })
  }
  return extensions
}

function basicConstraintsOf(extension: CertificateExtension | undefined): readonly [isCa: boolean, pathLength?: number] {
  if (extension === undefined) return [false]
  const { value } = extension
  const parts = [...childrenOf(value, onlyDer(value, TAG.sequence))]
  const isCa = parts[0]?.tag === TAG.boolean && booleanOf(value, parts.shift()!)
  const [length] = parts
  if (length === undefined) return [isCa]
  return [isCa, contentOf(value, expectTag(length, TAG.integer)).reduce((sum, byte) => sum * 256 + byte, 0)]
}

function usagesOf(
  extensions: ReadonlyMap<string, CertificateExtension>,
): Pick<ParsedCertificate, 'keyUsage' | 'extendedKeyUsage'> {
  const usage = extensions.get(EXTENSION.keyUsage)?.value
  const extended = extensions.get(EXTENSION.extendedKeyUsage)?.value
  return {
    keyUsage: usage && bitsOf(usage, onlyDer(usage, TAG.bitString)),
    extendedKeyUsage: extended && childrenOf(extended, onlyDer(extended, TAG.sequence)).map((each) => oidOf(extended, each)),
  }
}

function curveOf(der: Uint8Array, spki: DerElement): string | undefined {
  const [algorithm, parameters] = childrenOf(der, expectTag(childrenOf(der, spki)[0], TAG.sequence))
  if (algorithm === undefined || oidOf(der, algorithm) !== EC_PUBLIC_KEY) return undefined
  return parameters?.tag === TAG.oid ? oidOf(der, parameters) : ''
}
