import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { dropOldest } from '@heddle/runtime'
import type { TlsTerms } from './tls.js'

/** As node:tls takes them. */
export function secureTerms({ minVersion, maxVersion, ciphers, curves, signatureAlgorithms }: TlsTerms): SecureContextOptions {
  return {
    minVersion,
    maxVersion,
    ...(ciphers === undefined ? {} : { ciphers }),
    ...(curves === undefined ? {} : { ecdhCurve: curves }),
    ...(signatureAlgorithms === undefined ? {} : { sigalgs: signatureAlgorithms }),
  }
}

/** Other terms are another text. */
export function termsText({ minVersion, maxVersion, ciphers, curves, signatureAlgorithms }: TlsTerms): string {
  return [minVersion, maxVersion, ciphers, curves, signatureAlgorithms].join(' ')
}

export type TermList = 'ciphers' | 'curves' | 'signatureAlgorithms'

// The same few lists stand in thousands of contexts.
const judged = new Map<string, boolean>()
const MAX_JUDGED = 1_000

/** Whether OpenSSL, as this Node has it, can do with a list: each curve and signature algorithm in it, one of the ciphers. */
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
