import { verify } from 'node:crypto'
import { KEY_USAGE, type ParsedCertificate } from './certificate.js'
import {
  booleanOf,
  childrenOf,
  contentOf,
  type DerElement,
  expectTag,
  oidOf,
  onlyDer,
  readDer,
  TAG,
  timeOf,
  wholeOf,
} from './der.js'
import { HASH_OF_SIGNATURE } from './signatures.js'

const CRL_NUMBER = '2.5.29.20'

/** A certificate revocation list (RFC 5280 §5). */
export interface ParsedCrl {
  readonly issuer: string
  readonly thisUpdate: number
  readonly nextUpdate: number | undefined
  /** Serial numbers, in hex. */
  readonly revoked: ReadonlySet<string>
  /** `critical` of each extension. */
  readonly extensions: ReadonlyMap<string, boolean>
  isSignedBy(issuer: ParsedCertificate): boolean
}

/** Throws {@link DerError}. */
export function parseCrl(der: Uint8Array): ParsedCrl {
  const [tbs, algorithm, signature] = childrenOf(der, onlyDer(der, TAG.sequence))
  const fields = [...childrenOf(der, expectTag(tbs, TAG.sequence))]
  if (fields[0]?.tag === TAG.integer) fields.shift()
  const [, issuer, thisUpdate, ...rest] = fields
  const next = rest[0]?.tag === TAG.utcTime || rest[0]?.tag === TAG.generalizedTime ? rest.shift() : undefined
  const list = rest[0]?.tag === TAG.sequence ? rest.shift() : undefined
  const revoked = (list === undefined ? [] : childrenOf(der, list)).map((entry) =>
    Buffer.from(contentOf(der, childrenOf(der, entry)[0]!)).toString('hex'),
  )
  const hash = HASH_OF_SIGNATURE.get(oidOf(der, childrenOf(der, expectTag(algorithm, TAG.sequence))[0]!))
  const bits = contentOf(der, expectTag(signature, TAG.bitString)).subarray(1)
  return {
    issuer: Buffer.from(wholeOf(der, expectTag(issuer, TAG.sequence))).toString('hex'),
    thisUpdate: timeOf(der, thisUpdate!),
    nextUpdate: next && timeOf(der, next),
    revoked: new Set(revoked),
    extensions: criticalities(der, rest[0]),
    isSignedBy: ({ x509 }) => hash !== undefined && verify(hash, wholeOf(der, tbs!), x509.publicKey, bits),
  }
}

function criticalities(der: Uint8Array, wrapper: DerElement | undefined): ReadonlyMap<string, boolean> {
  const all = new Map<string, boolean>()
  if (wrapper === undefined) return all
  for (const extension of childrenOf(der, expectTag(readDer(der, wrapper.start, wrapper.end), TAG.sequence))) {
    const parts = childrenOf(der, extension)
    all.set(oidOf(der, parts[0]!), parts.length === 3 && booleanOf(der, parts[1]!))
  }
  return all
}

/** Why a certificate is refused by the lists of its issuer. Without a list of that issuer nothing is known against it. */
export function revocationProblem(
  certificate: ParsedCertificate,
  issuer: ParsedCertificate,
  crls: readonly ParsedCrl[],
  at: number | undefined,
): string | undefined {
  for (const crl of crls) {
    if (crl.issuer !== certificate.issuer) continue
    if (issuer.keyUsage?.(KEY_USAGE.crlSign) === false || !crl.isSignedBy(issuer)) return 'a revocation list is not of its issuer'
    if (crl.extensions.get(CRL_NUMBER) !== false || [...crl.extensions.values()].includes(true))
      return 'a revocation list has no number, or extensions that nobody knows'
    if (at !== undefined && (at < crl.thisUpdate || at > (crl.nextUpdate ?? at))) return 'a revocation list is out of its time'
    if (crl.revoked.has(Buffer.from(certificate.serial).toString('hex'))) return 'the certificate has been revoked'
  }
  return undefined
}
