import { fail, ok, problem, type Result } from '@heddle/runtime'
import type { Signer } from './certificate.js'
import { type DerNode, readBitString, readDer, readOid } from './der/reader.js'
import { readTime } from './der/time.js'
import { bitString, context, contextPrimitive, enumerated, integer, octetString, oid, sequence, time } from './der/writer.js'
import { publicKeyFrom, signatureAlgorithm, signDer, verifyDer } from './keys.js'
import { serialHex, type X509View } from './x509.js'

/** RFC 5280 §5.3.1; `removeFromCRL` is for delta lists, which are not made here. */
export const REVOCATION_REASONS = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  certificateHold: 6,
  privilegeWithdrawn: 9,
  aACompromise: 10,
} as const
export type RevocationReason = keyof typeof REVOCATION_REASONS

export interface Revocation {
  /** Hex, as `X509View.serial`. */
  readonly serial: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Default `unspecified`, which leaves the extension out. */
  readonly reason?: RevocationReason
}

export interface RevocationListContent {
  readonly revoked: readonly Revocation[]
  /** Grows with each list. */
  readonly number: number
  /** Milliseconds since the epoch. */
  readonly thisUpdate: number
  readonly nextUpdate: number
}

/** A list as it was read; `revoked` by serial number. */
export interface RevocationList {
  readonly issuer: Uint8Array
  readonly number: number | undefined
  readonly thisUpdate: number
  readonly nextUpdate: number | undefined
  readonly revoked: ReadonlyMap<string, Revocation>
}

const OID = {
  number: '2.5.29.20',
  reason: '2.5.29.21',
  authorityKeyIdentifier: '2.5.29.35',
  point: '2.5.29.28',
  delta: '2.5.29.27',
}

/** A certificate revocation list (RFC 5280 §5, version 2), DER, signed by the CA whose certificates it is about. */
export function createCrl(signer: Signer, { revoked, number, thisUpdate, nextUpdate }: RevocationListContent): Uint8Array {
  const algorithm = signatureAlgorithm(signer.key)
  const entries = revoked.map(({ serial, at, reason = 'unspecified' }) => {
    const extensions =
      reason === 'unspecified' ? [] : [sequence(sequence(oid(OID.reason), octetString(enumerated(REVOCATION_REASONS[reason]))))]
    return sequence(integer(bytesOf(serial)), time(at), ...extensions)
  })
  const extensions = sequence(
    sequence(oid(OID.authorityKeyIdentifier), octetString(sequence(contextPrimitive(0, signer.certificate.keyId)))),
    sequence(oid(OID.number), octetString(integer(bytesOf(number.toString(16))))),
  )
  const list = sequence(
    integer(Uint8Array.of(1)),
    algorithm,
    signer.certificate.subject,
    time(thisUpdate),
    time(nextUpdate),
    // The list of entries is left out when there are none, never empty (§5.1.2.6).
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
    context(0, extensions),
  )
  return sequence(list, algorithm, bitString(signDer(signer.key, list)))
}

/**
 * Reads a list and checks that this CA signed it. A list for some of the certificates only (delta, distribution point) is refused, since
 * what is not on it may be revoked all the same. Code `ca.crl`.
 */
export function readCrl(der: Uint8Array, issuer: X509View): Result<RevocationList> {
  const refuse = (why: string): Result<RevocationList> => fail(problem('ca.crl', '', `the revocation list is refused: ${why}`))
  const read = readDer(der, { maxBytes: MAX_CRL_BYTES })
  if (!read.ok) return read
  const [list, algorithm, signature] = read.value.children
  const fields = [...(list?.children ?? [])]
  if (fields[0]?.tag === 0x02) fields.shift()
  const [inner, name, thisUpdate, ...rest] = fields
  const from = thisUpdate === undefined ? undefined : readTime(thisUpdate)
  const bits = readBitString(signature)
  if (list === undefined || inner === undefined || name === undefined || from === undefined || bits === undefined)
    return refuse('it is no X.509 CRL')
  if (Buffer.compare(name.raw, issuer.subject) !== 0) return refuse('it is of another CA')
  const key = publicKeyFrom(issuer.publicKeyInfo)
  if (key === undefined || !verifyDer(key, readOid(algorithm?.children[0]), list.raw, bits))
    return refuse('its signature is not by this CA')
  const nextUpdate = rest[0] === undefined ? undefined : readTime(rest[0])
  const extensions = rest.find(({ tag }) => tag === 0xa0)?.children[0]?.children ?? []
  const partial = extensions.find((one) => [OID.point, OID.delta].includes(readOid(one.children[0]) ?? ''))
  if (partial !== undefined) return refuse('it is for some of the certificates only')
  const entries = rest.find(({ tag }) => tag === 0x30)?.children ?? []
  const revoked = entries.flatMap(revocationOf)
  if (revoked.length < entries.length) return refuse('an entry cannot be read')
  return ok({
    issuer: name.raw,
    number: numberOf(extensions),
    thisUpdate: from,
    nextUpdate,
    revoked: new Map(revoked.map((one) => [one.serial, one])),
  })
}

/** A list of 100,000 entries has about 4 MiB. */
const MAX_CRL_BYTES = 16 * 1024 * 1024

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex'))
}

const REASONS = new Map<number, RevocationReason>(
  Object.entries(REVOCATION_REASONS).map(([name, number]) => [number, name as RevocationReason]),
)

function revocationOf(entry: DerNode): Revocation[] {
  const [serial, date, extensions] = entry.children
  const at = date === undefined ? undefined : readTime(date)
  if (serial?.tag !== 0x02 || at === undefined) return []
  const reason = extensions?.children.find((one) => readOid(one.children[0]) === OID.reason)?.children.at(-1)
  // OCTET STRING of ENUMERATED: 0a 01 xx.
  const name = REASONS.get(reason?.content[2] ?? 0) ?? 'unspecified'
  return [{ serial: serialHex(serial.content), at, ...(name === 'unspecified' ? {} : { reason: name }) }]
}

function numberOf(extensions: readonly DerNode[]): number | undefined {
  const found = extensions.find((one) => readOid(one.children[0]) === OID.number)?.children.at(-1)
  const read = found === undefined ? undefined : readDer(found.content)
  return read?.ok === true && read.value.tag === 0x02 ? Number.parseInt(serialHex(read.value.content), 16) : undefined
}
