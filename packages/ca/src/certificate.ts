import { type KeyObject, randomBytes, X509Certificate } from 'node:crypto'
import { fail, ok, problem, type Result } from '@heddle/runtime'
import { readDer } from './der/reader.js'
import { bitString, context, type Der, integer, oid, sequence, set, time, utf8String } from './der/writer.js'
import { authorityExtensions, keyIdentifier, leafExtensions, type SubjectAltName } from './extensions.js'
import { publicKeyInfo, signatureAlgorithm, signDer } from './keys.js'

/** Who signs: a CA's certificate and its key. */
export interface Signer {
  readonly certificate: CertificateFacts
  readonly key: KeyObject
  /** PEM, the signer first, without the root: what a leaf's chain needs beside the leaf. Empty when the signer is the root. */
  readonly chain: readonly string[]
}

/** What an issuer must know of its own certificate, read once. */
export interface CertificateFacts {
  /** Name of the subject, DER as it stands: it must be the issuer of what is signed byte for byte. */
  readonly subject: Uint8Array
  readonly keyId: Uint8Array
  /** Milliseconds since the epoch. */
  readonly notBefore: number
  readonly notAfter: number
  readonly ca: boolean
}

/** Milliseconds since the epoch, both inclusive. */
export interface Validity {
  readonly notBefore: number
  readonly notAfter: number
}

const ORGANIZATION = '2.5.4.10'

/** A CA's name: `O=<organization>`, as Istio's self-signed roots have it. */
export function organizationName(organization: string): Der {
  return sequence(set(sequence(oid(ORGANIZATION), utf8String(organization))))
}

/** 127 random bits: positive, and one byte shorter than RFC 5280 §4.1.2.2 allows. */
function serialNumber(): Uint8Array {
  const bytes = new Uint8Array(randomBytes(16))
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x01
  return bytes
}

interface Content {
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  readonly publicKeyInfo: Uint8Array
  readonly validity: Validity
  readonly extensions: Der
}

/** RFC 5280 §4.1: version 3. */
function signCertificate(content: Content, key: KeyObject): Uint8Array {
  const algorithm = signatureAlgorithm(key)
  const validity = sequence(time(content.validity.notBefore), time(content.validity.notAfter))
  const tbs = sequence(
    context(0, integer(Uint8Array.of(2))),
    integer(serialNumber()),
    algorithm,
    content.issuer,
    validity,
    content.subject,
    content.publicKeyInfo,
    context(3, content.extensions),
  )
  return sequence(tbs, algorithm, bitString(signDer(key, tbs)))
}

/** What a CA's certificate says of it. */
export interface AuthorityName {
  readonly organization: string
  /** Its SPIFFE ID is that of this trust domain; without one it has none. */
  readonly trustDomain?: string
}

/** A root that signs itself, DER. */
export function createRootCertificate(
  key: KeyObject,
  { organization, trustDomain }: AuthorityName,
  validity: Validity,
): Uint8Array {
  const spki = publicKeyInfo(key)
  const name = organizationName(organization)
  const extensions = authorityExtensions(spki, undefined, trustDomain)
  return signCertificate({ issuer: name, subject: name, publicKeyInfo: spki, validity, extensions }, key)
}

/** An intermediate CA under a signer, DER. */
export function createIntermediateCertificate(
  key: KeyObject,
  { organization, trustDomain }: AuthorityName,
  validity: Validity,
  signer: Signer,
): Uint8Array {
  const spki = publicKeyInfo(key)
  const { subject, keyId } = signer.certificate
  return signCertificate(
    {
      issuer: subject,
      subject: organizationName(organization),
      publicKeyInfo: spki,
      validity: within(validity, signer),
      extensions: authorityExtensions(spki, keyId, trustDomain),
    },
    signer.key,
  )
}

/** A leaf for names, with an empty subject, DER. It never outlives its signer, and never predates it. */
export function createLeafCertificate(
  spki: Uint8Array,
  names: readonly SubjectAltName[],
  rsa: boolean,
  validity: Validity,
  signer: Signer,
): Uint8Array {
  const { subject, keyId } = signer.certificate
  const extensions = leafExtensions({ names, publicKeyInfo: spki, rsa, issuerKeyId: keyId })
  return signCertificate(
    { issuer: subject, subject: sequence(), publicKeyInfo: spki, validity: within(validity, signer), extensions },
    signer.key,
  )
}

function within({ notBefore, notAfter }: Validity, { certificate }: Signer): Validity {
  return { notBefore: Math.max(notBefore, certificate.notBefore), notAfter: Math.min(notAfter, certificate.notAfter) }
}

/** Facts of a certificate, after a strict look at its DER. */
export function readCertificate(der: Uint8Array): Result<CertificateFacts> {
  const read = readDer(der)
  if (!read.ok) return read
  const fields = read.value.children[0]?.children ?? []
  // The version is [0] and always there in version 3, the only one that has extensions.
  const [version, , , , , subject, spki] = fields
  if (version?.tag !== 0xa0 || subject?.tag !== 0x30 || spki?.tag !== 0x30)
    return fail(problem('ca.certificate', '', 'it is not an X.509 version 3 certificate'))
  try {
    const parsed = new X509Certificate(Buffer.from(der))
    return ok({
      subject: subject.raw,
      keyId: keyIdentifier(spki.raw),
      notBefore: Date.parse(parsed.validFrom),
      notAfter: Date.parse(parsed.validTo),
      ca: parsed.ca,
    })
  } catch {
    return fail(problem('ca.certificate', '', 'it is not a certificate that OpenSSL can read'))
  }
}
