import { createPublicKey, type KeyObject } from 'node:crypto'
import { fail, ok, problem, type Result } from '@heddle/runtime'
import { type DerNode, readBitString, readDer, readOid } from './der/reader.js'
import { bitString, boolean, context, integer, octetString, oid, sequence, set } from './der/writer.js'
import { type SubjectAltName, subjectAltName } from './extensions.js'
import { publicKeyFrom, publicKeyInfo, signatureAlgorithm, signDer, verifyDer, weakness } from './keys.js'

const EXTENSION_REQUEST = '1.2.840.113549.1.9.14'
const SUBJECT_ALT_NAME = '2.5.29.17'

/** What a request proves, and nothing more: that its sender holds the private key of this public key. */
export interface CertificateRequest {
  readonly publicKey: KeyObject
  /** SubjectPublicKeyInfo, as it goes into the certificate. */
  readonly publicKeyInfo: Uint8Array
}

/**
 * A PKCS #10 request (RFC 2986), DER.
 * @param names asked for by convention; an issuer takes names from the caller's proven identity, never from here.
 */
export function createCsr(key: KeyObject, names: readonly SubjectAltName[] = []): Uint8Array {
  const extensions =
    names.length === 0
      ? []
      : [
          sequence(
            oid(EXTENSION_REQUEST),
            set(sequence(sequence(oid(SUBJECT_ALT_NAME), boolean(true), octetString(subjectAltName(names))))),
          ),
        ]
  const info = sequence(integer(Uint8Array.of(0)), sequence(), publicKeyInfo(key), context(0, ...extensions))
  return sequence(info, signatureAlgorithm(key), bitString(signDer(key, info)))
}

/** Reads and verifies a request: strict DER, a key that is strong enough, a signature by that key. Names in it are not even looked at. */
export function readCsr(der: Uint8Array): Result<CertificateRequest> {
  const refuse = (why: string): Result<CertificateRequest> =>
    fail(problem('ca.csr', '', `the certificate request is refused: ${why}`))
  const read = readDer(der)
  if (!read.ok) return read
  const [info, algorithm, signature, ...rest] = read.value.children
  const spki = info?.children[2]
  const bits = readBitString(signature)
  if (
    read.value.tag !== 0x30 ||
    info?.tag !== 0x30 ||
    spki?.tag !== 0x30 ||
    bits === undefined ||
    rest.length > 0 ||
    !isVersion0(info.children[0])
  )
    return refuse('it is not a PKCS #10 request')
  const publicKey = isP256(spki.raw) ? readP256(spki.raw) : publicKeyFrom(spki.raw)
  if (publicKey === undefined) return refuse('its public key cannot be read')
  const weak = weakness(publicKey)
  if (weak !== undefined) return refuse(weak)
  if (!verifyDer(publicKey, readOid(algorithm?.children[0]), info.raw, bits)) return refuse('its signature is not by its own key')
  // Other keys are written anew, so that nothing but the key gets into a certificate.
  return ok({ publicKey, publicKeyInfo: isP256(spki.raw) ? spki.raw.slice() : publicKeyInfo(publicKey) })
}

const isVersion0 = (node: DerNode | undefined): boolean =>
  node?.tag === 0x02 && node.content.length === 1 && node.content[0] === 0

/** SubjectPublicKeyInfo of a P-256 key up to its point, which is 0x04 and twice 32 bytes. */
const P256 = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex')

/** In the one way there is to write such a key. */
function isP256(spki: Uint8Array): boolean {
  return spki.length === P256.length + 64 && P256.equals(spki.subarray(0, P256.length))
}

/** Nearly every key is one of these: as JWK it is read three times as fast as through OpenSSL's decoders. The point is checked in both cases. */
function readP256(spki: Uint8Array): KeyObject | undefined {
  const base64 = (part: Uint8Array): string => Buffer.from(part).toString('base64url')
  const jwk = { kty: 'EC', crv: 'P-256', x: base64(spki.subarray(P256.length, -32)), y: base64(spki.subarray(-32)) }
  try {
    return createPublicKey({ key: jwk, format: 'jwk' })
  } catch {
    return undefined
  }
}
