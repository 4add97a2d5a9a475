import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { dropOldest } from '@heddle/runtime'
import type { TlsTerms } from './tls.js'

/** ServerContextConfigImpl::DEFAULT_CIPHER_SUITES and the client's, which are the same; OpenSSL has no groups of equals. */
const CIPHERS =
  'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384'
/** BoringSSL's with AES in hardware. SHA-256 makes a handshake cheaper, too. */
const SUITES = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256'
/** DEFAULT_CURVES, and what OpenSSL, but not BoringSSL, wants here before it takes a certificate of that curve in TLS 1.2. */
const CURVES = 'X25519:P-256:P-384:P-521'

/** As node:tls takes them. */
export function secureTerms(terms: TlsTerms): SecureContextOptions {
  const { minVersion, maxVersion, ciphers = CIPHERS, suites = SUITES, curves = CURVES, signatureAlgorithms } = terms
  return {
    minVersion,
    maxVersion,
    ciphers: `${suites}:${ciphers}`,
    ecdhCurve: curves,
    ...(signatureAlgorithms === undefined ? {} : { sigalgs: signatureAlgorithms }),
  }
}

const texts = new WeakMap<TlsTerms, string>()

/** Other terms are another text. */
export function termsText(terms: TlsTerms): string {
  let text = texts.get(terms)
  if (text === undefined) {
    const { minVersion, maxVersion, ciphers, suites, curves, signatureAlgorithms } = terms
    texts.set(terms, (text = [minVersion, maxVersion, ciphers, suites, curves, signatureAlgorithms].join(' ')))
  }
  return text
}

export type TermList = 'ciphers' | 'curves' | 'signatureAlgorithms'

// The same few lists stand in thousands of contexts.
const judged = new Map<string, boolean>()
const MAX_JUDGED = 1_000

/** Whether OpenSSL, as this Node has it, can do with a list: each curve and signature algorithm in it, one of the ciphers at least. */
export function isKnown(kind: TermList, list: string): boolean {
  const key = `${kind} ${list}`
  let known = judged.get(key)
  if (known === undefined) {
    judged.set(key, (known = takes(secureTerms({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3', [kind]: list }))))
    dropOldest(judged, MAX_JUDGED)
  }
  return known
}

function takes(options: SecureContextOptions): boolean {
  try {
    createSecureContext(options)
    return true
  } catch {
    return false
  }
}
