import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, sign, verify } from 'node:crypto'
import { promisify } from 'node:util'
import { type Der, element, oid, sequence } from './der/writer.js'

const generate = promisify(generateKeyPair)

/** What keys may be; `P-256` is the default everywhere. */
export type KeyAlgorithm = 'P-256' | 'P-384' | 'RSA-2048' | 'RSA-3072' | 'RSA-4096' | 'Ed25519'

/** A new key pair, made off the main thread. The private key as PKCS #8 PEM is `exportKey`. */
export async function createKey(algorithm: KeyAlgorithm = 'P-256'): Promise<KeyObject> {
  if (algorithm === 'Ed25519') return (await generate('ed25519')).privateKey
  if (algorithm === 'P-256' || algorithm === 'P-384') return (await generate('ec', { namedCurve: algorithm })).privateKey
  return (await generate('rsa', { modulusLength: Number(algorithm.slice(4)) })).privateKey
}

/** PKCS #8 PEM. */
export function exportKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

export function importKey(pem: string): KeyObject {
  return createPrivateKey(pem)
}

/** SubjectPublicKeyInfo. */
export function publicKeyInfo(key: KeyObject): Uint8Array {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  return new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }))
}

/** A public key from its SubjectPublicKeyInfo; undefined when OpenSSL cannot read it. */
export function publicKeyFrom(spki: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  } catch {
    return undefined
  }
}

/** Why a key must not be certified, undefined when it may: RSA of 2048 to 4096 bits (longer ones cost more than they give), P-256, P-384, Ed25519. */
export function weakness(key: KeyObject, longestRsa = 4096): string | undefined {
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'ed25519') return undefined
  if (key.asymmetricKeyType === 'rsa')
    return modulusLength >= 2048 && modulusLength <= longestRsa
      ? undefined
      : `an RSA key of ${modulusLength} bits; take 2048 to ${longestRsa}`
  if (key.asymmetricKeyType === 'ec')
    return namedCurve === 'prime256v1' || namedCurve === 'secp384r1' ? undefined : `the curve ${namedCurve}; take P-256 or P-384`
  return `a key of type ${key.asymmetricKeyType}; take P-256, P-384, RSA or Ed25519`
}

interface SignatureAlgorithm {
  readonly oid: string
  /** Undefined: the algorithm hashes by itself (Ed25519). */
  readonly hash: string | undefined
  readonly keyType: string
}

const ALGORITHMS: readonly SignatureAlgorithm[] = [
  { oid: '1.2.840.10045.4.3.2', hash: 'sha256', keyType: 'ec' },
  { oid: '1.2.840.10045.4.3.3', hash: 'sha384', keyType: 'ec' },
  { oid: '1.2.840.10045.4.3.4', hash: 'sha512', keyType: 'ec' },
  { oid: '1.2.840.113549.1.1.11', hash: 'sha256', keyType: 'rsa' },
  { oid: '1.2.840.113549.1.1.12', hash: 'sha384', keyType: 'rsa' },
  { oid: '1.2.840.113549.1.1.13', hash: 'sha512', keyType: 'rsa' },
  { oid: '1.3.101.112', hash: undefined, keyType: 'ed25519' },
]

function algorithmFor(key: KeyObject): SignatureAlgorithm {
  const hash =
    key.asymmetricKeyDetails?.namedCurve === 'secp384r1' ? 'sha384' : key.asymmetricKeyType === 'ed25519' ? undefined : 'sha256'
  const found = ALGORITHMS.find((algorithm) => algorithm.keyType === key.asymmetricKeyType && algorithm.hash === hash)
  if (found === undefined) throw new TypeError(`no signature algorithm for ${weakness(key) ?? key.asymmetricKeyType}`)
  return found
}

/** AlgorithmIdentifier of what `signDer` makes with this key; RSA has a NULL parameter (RFC 4055 §5). */
export function signatureAlgorithm(key: KeyObject): Der {
  const { oid: id, keyType } = algorithmFor(key)
  return keyType === 'rsa' ? sequence(oid(id), element(0x05)) : sequence(oid(id))
}

export function signDer(key: KeyObject, content: Uint8Array): Uint8Array {
  return new Uint8Array(sign(algorithmFor(key).hash, content, key))
}

/** False also when the algorithm is not the key's, or not one we take (SHA-1, MD5). */
export function verifyDer(key: KeyObject, algorithmOid: string | undefined, content: Uint8Array, signature: Uint8Array): boolean {
  const algorithm = ALGORITHMS.find(({ oid: id }) => id === algorithmOid)
  return algorithm !== undefined && algorithm.keyType === key.asymmetricKeyType && verify(algorithm.hash, content, key, signature)
}

/** Whether signatures by this algorithm count: SHA-2 and Ed25519. */
export function isTrustedAlgorithm(algorithmOid: string): boolean {
  return ALGORITHMS.some(({ oid: id }) => id === algorithmOid)
}
