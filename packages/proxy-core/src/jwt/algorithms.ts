import { constants, createHmac, type KeyObject, timingSafeEqual, verify } from 'node:crypto'

type Hash = 'sha256' | 'sha384' | 'sha512'

/** What an algorithm of RFC 7518 or RFC 8037 asks of a key, and how it checks a signature. */
export interface JwsAlgorithm {
  readonly kty: 'RSA' | 'EC' | 'oct' | 'OKP'
  /** Of EC and OKP. */
  readonly crv?: string
  verify(key: KeyObject, signed: Buffer, signature: Buffer): boolean
}

const rsa = (hash: Hash): JwsAlgorithm => ({
  kty: 'RSA',
  verify: (key, signed, signature) => verify(hash, signed, { key, padding: constants.RSA_PKCS1_PADDING }, signature),
})

const pss = (hash: Hash): JwsAlgorithm => ({
  kty: 'RSA',
  verify(key, signed, signature) {
    const [padding, saltLength] = [constants.RSA_PKCS1_PSS_PADDING, constants.RSA_PSS_SALTLEN_DIGEST]
    return verify(hash, signed, { key, padding, saltLength }, signature)
  },
})

const ecdsa = (hash: Hash, crv: string): JwsAlgorithm => ({
  kty: 'EC',
  crv,
  verify: (key, signed, signature) => verify(hash, signed, { key, dsaEncoding: 'ieee-p1363' }, signature),
})

const hmac = (hash: Hash): JwsAlgorithm => ({
  kty: 'oct',
  verify(key, signed, signature) {
    const wanted = createHmac(hash, key).update(signed).digest()
    return wanted.length === signature.length && timingSafeEqual(wanted, signature)
  },
})

/** Those that are supported; `none` is not among them (CVE-2016-10555). */
export const ALGORITHMS: ReadonlyMap<string, JwsAlgorithm> = new Map([
  ['RS256', rsa('sha256')],
  ['RS384', rsa('sha384')],
  ['RS512', rsa('sha512')],
  ['PS256', pss('sha256')],
  ['PS384', pss('sha384')],
  ['PS512', pss('sha512')],
  ['ES256', ecdsa('sha256', 'P-256')],
  ['ES384', ecdsa('sha384', 'P-384')],
  ['ES512', ecdsa('sha512', 'P-521')],
  ['HS256', hmac('sha256')],
  ['HS384', hmac('sha384')],
  ['HS512', hmac('sha512')],
  ['EdDSA', { kty: 'OKP', crv: 'Ed25519', verify: (key, signed, signature) => verify(null, signed, key, signature) }],
])
