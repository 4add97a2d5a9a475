import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { dropOldest } from '@heddle/runtime'
import { pemBlocks } from './x509/pem.js'

/** What is wrong with key material, before anything is served with it. Undefined: nothing. As Envoy judges it, which loads it at once. */

const LEAST_RSA_BITS = 2048
const CURVES = ['prime256v1', 'secp384r1', 'secp521r1']

/** Of a certificate chain, leaf first. */
export const chainProblem: (pem: string) => string | undefined = remembered((pem) => {
  const key = leafKeyOf(pem)
  // Before OpenSSL is asked, which tells of some of them on its own, in words of its own.
  const unfit = key && kindProblem(key)
  if (unfit !== undefined) return unfit
  const unread = refusalOf({ cert: pem })
  return unread && `cannot be read as a certificate chain: ${unread}.`
})

/** Of the private key to a chain that has no problem. */
export function keyProblem(pem: string, chain: string): string | undefined {
  if (readKey(pem) === undefined) return 'cannot be read as a private key that is not encrypted.'
  const refused = refusalOf({ cert: chain, key: pem })
  return refused && `is not the key of the certificate: ${refused}.`
}

/** An encrypted key as one that is not, for which nobody needs the password again. Undefined: it cannot be read with it. */
export function decryptedKey(pem: string, passphrase: string): string | undefined {
  return readKey(pem, passphrase)?.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** Of trust anchors. */
export const trustProblem: (pem: string) => string | undefined = remembered((pem) => {
  const certificates = pemBlocks(pem, 'CERTIFICATE')
  if (certificates.length === 0) return 'has no certificate.'
  if (certificates.length < count(pem, 'CERTIFICATE')) return 'ends, or goes wrong, within a certificate.'
  for (const [index, block] of certificates.entries()) {
    const unread = reasonOf(() => new X509Certificate(block))
    if (unread !== undefined) return `has a certificate, number ${index + 1}, that cannot be read: ${unread}.`
  }
  return undefined
})

/** Of revocation lists: one that is not understood would let in whom it was to keep out. */
export const crlProblem: (pem: string) => string | undefined = remembered((pem) => {
  const lists = pemBlocks(pem, 'X509 CRL')
  if (lists.length === 0) return 'has no revocation list.'
  const refused = lists.length < count(pem, 'X509 CRL') ? 'it ends in the middle' : refusalOf({ crl: [...lists] })
  return refused && `has a revocation list that cannot be read: ${refused}.`
})

function leafKeyOf(chain: string): KeyObject | undefined {
  try {
    return new X509Certificate(chain).publicKey
  } catch {
    return undefined
  }
}

function kindProblem({ asymmetricKeyType: kind, asymmetricKeyDetails: details }: KeyObject): string | undefined {
  const bits = details?.modulusLength ?? LEAST_RSA_BITS
  if (kind === 'rsa' && bits < LEAST_RSA_BITS) return `has an RSA key of ${bits} bits: ${LEAST_RSA_BITS} is the least.`
  if (kind === 'ec' && !CURVES.includes(details?.namedCurve ?? ''))
    return `has a key on the curve ${details?.namedCurve}: only P-256, P-384 and P-521 are supported.`
  return undefined
}

function readKey(pem: string, passphrase?: string): KeyObject | undefined {
  try {
    return createPrivateKey({ key: pem, ...(passphrase !== undefined && { passphrase }) })
  } catch {
    return undefined
  }
}

const count = (pem: string, label: string): number => pem.split(`-----BEGIN ${label}-----`).length - 1

const refusalOf = (options: SecureContextOptions): string | undefined => reasonOf(() => createSecureContext(options))

/** In OpenSSL's words. */
function reasonOf(attempt: () => unknown): string | undefined {
  try {
    attempt()
    return undefined
  } catch (error) {
    const { reason, message } = error as Error & { reason?: string }
    return reason ?? message
  }
}

const MOST_REMEMBERED = 100

/** The same few texts stand in thousands of contexts. */
function remembered(find: (pem: string) => string | undefined): (pem: string) => string | undefined {
  const known = new Map<string, { readonly problem: string | undefined }>()
  return (pem) => {
    let found = known.get(pem)
    if (found === undefined) {
      known.set(pem, (found = { problem: find(pem) }))
      dropOldest(known, MOST_REMEMBERED)
    }
    return found.problem
  }
}
