import { X509Certificate } from 'node:crypto'
import { derOf, toPem } from './x509/pem.js'

/** A chain that is longer leads nowhere. */
const LONGEST = 10

/**
 * What is presented with a certificate. OpenSSL completes a chain that has one certificate only, from the trust anchors, in each
 * handshake again, and verifies what it found: with the anchors said here it does the same once. `chain` as it is where it has more
 * than one, where no anchor is its issuer, and where it cannot be read.
 */
export function presentedChain(chain: string, trustBundle: string | undefined): string {
  const [leaf, ...more] = derOf(chain)
  if (leaf === undefined || more.length > 0 || trustBundle === undefined) return chain
  try {
    return [chain.trimEnd(), ...issuersOf(leaf, derOf(trustBundle)).map(({ raw }) => toPem(raw))].join('\n')
  } catch {
    return chain
  }
}

function issuersOf(leaf: Uint8Array, bundle: readonly Uint8Array[]): readonly X509Certificate[] {
  const anchors = bundle.map((der) => new X509Certificate(der))
  const issuers: X509Certificate[] = []
  for (let last = new X509Certificate(leaf); issuers.length < LONGEST && !last.checkIssued(last); ) {
    const issuer = anchors.find((anchor) => last.checkIssued(anchor) && last.verify(anchor.publicKey))
    if (issuer === undefined) break
    issuers.push(issuer)
    last = issuer
  }
  return issuers
}
