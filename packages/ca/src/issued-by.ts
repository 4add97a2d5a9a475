import { X509Certificate } from 'node:crypto'

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'

/**
 * Whether one of the issuers (PEM) signed this client certificate, and it is in time and for clients. Issuers that are no CA,
 * or are out of time themselves, count for nothing.
 */
export function isIssuedBy(der: Uint8Array, issuers: readonly string[], now: number): boolean {
  try {
    const leaf = new X509Certificate(Buffer.from(der))
    if (!isInTime(leaf, now) || !leaf.keyUsage?.includes(CLIENT_AUTH)) return false
    return issuers.some((pem) => {
      const issuer = new X509Certificate(pem)
      return issuer.ca && isInTime(issuer, now) && leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey)
    })
  } catch {
    // What OpenSSL cannot read proves nothing.
    return false
  }
}

function isInTime(certificate: X509Certificate, now: number): boolean {
  return Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo)
}
