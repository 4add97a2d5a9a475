import { describe, expect, it } from 'vitest'
import {
  OTHER_CHAIN,
  OTHER_CRL,
  OTHER_KEY,
  OWN_CHAIN,
  OWN_CRL,
  OWN_KEY,
  OWN_KEY_ENCRYPTED,
  RSA_1024_CHAIN,
  SECP256K1_CHAIN,
} from '../testing-certificates.js'
import { chainProblem, crlProblem, decryptedKey, keyProblem, trustProblem } from './pem-problems.js'

// Each as `envoy --mode validate` 1.40 judges it; revocation lists that cannot be read pass there.

const broken = OTHER_CHAIN.replace('\nMII', '\nAAAA')
const half = OTHER_CHAIN.slice(0, 200)

describe('a certificate chain', () => {
  it.each([
    ['one certificate', OWN_CHAIN],
    ['two', OWN_CHAIN + OTHER_CHAIN],
    ['with its key before it', OWN_KEY + OWN_CHAIN],
    ['with words around it', `words\n${OWN_CHAIN}words\n`],
  ])('may be %s', (_, pem) => expect(chainProblem(pem)).toBeUndefined())

  it.each([
    ['without a certificate', 'words', /^cannot be read as a certificate chain: no start line\.$/],
    ['that is a key', OWN_KEY, /no start line/],
    ['that is cut off', half, /^cannot be read as a certificate chain/],
    ['whose second certificate is none', OWN_CHAIN + broken, /^cannot be read as a certificate chain/],
    ['of a short RSA key', RSA_1024_CHAIN, /^has an RSA key of 1024 bits: 2048 is the least\.$/],
    ['on another curve', SECP256K1_CHAIN, /^has a key on the curve secp256k1: only P-256, P-384 and P-521 are supported\.$/],
  ])('%s is refused', (_, pem, problem) => expect(chainProblem(pem)).toMatch(problem))
})

describe('a private key', () => {
  it('fits its certificate, behind others too', () => {
    expect(keyProblem(OWN_KEY, OWN_CHAIN)).toBeUndefined()
    expect(keyProblem(OTHER_CHAIN + OTHER_KEY, OTHER_CHAIN)).toBeUndefined()
  })

  it.each([
    ['of another certificate', OTHER_KEY, /^is not the key of the certificate: key values mismatch\.$/],
    ['that is none', OWN_CHAIN, /^cannot be read as a private key that is not encrypted\.$/],
    ['that is encrypted', OWN_KEY_ENCRYPTED, /^cannot be read as a private key that is not encrypted\.$/],
  ])('%s is refused', (_, pem, problem) => expect(keyProblem(pem, OWN_CHAIN)).toMatch(problem))

  it('that is encrypted is one that is not, with the password', () => {
    expect(keyProblem(decryptedKey(OWN_KEY_ENCRYPTED, 'secret') ?? '', OWN_CHAIN)).toBeUndefined()
    expect(decryptedKey(OWN_KEY_ENCRYPTED, 'wrong')).toBeUndefined()
    expect(decryptedKey(OWN_KEY, 'needless')).toBe(OWN_KEY)
  })
})

describe('trust anchors', () => {
  it('may be several, with words and revocation lists between them', () =>
    expect(trustProblem(`${OWN_CHAIN}words\n${OTHER_CHAIN}${OWN_CRL}`)).toBeUndefined())

  it.each([
    ['none', '', 'has no certificate.'],
    ['a revocation list', OWN_CRL, 'has no certificate.'],
    ['cut off', OWN_CHAIN + half, 'ends, or goes wrong, within a certificate.'],
  ])('%s: refused', (_, pem, problem) => expect(trustProblem(pem)).toBe(problem))

  it('with one that cannot be read are refused: who meant to trust it would not', () =>
    expect(trustProblem(OWN_CHAIN + broken)).toMatch(/^has a certificate, number 2, that cannot be read: /))
})

describe('revocation lists', () => {
  it('may be several', () => expect(crlProblem(OWN_CRL + OTHER_CRL)).toBeUndefined())

  it.each([
    ['none', OWN_CHAIN, 'has no revocation list.'],
    ['cut off', OWN_CRL.slice(0, 100) + OTHER_CRL, /^has a revocation list that cannot be read/],
    ['that is none', OWN_CRL + OTHER_CRL.replace('\nMI', '\nAA'), /^has a revocation list that cannot be read/],
  ])('%s: refused', (_, pem, problem) => expect(crlProblem(pem)).toMatch(problem))
})
