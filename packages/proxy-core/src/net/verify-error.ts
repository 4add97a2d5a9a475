import { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'

const OUT_OF_TIME: ReadonlySet<string> = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'])

/**
 * Why OpenSSL does not trust the peer's chain, in its word; undefined when it does. Node tells it only to its own servers and
 * clients; when it cannot be asked, nobody is trusted.
 */
export function verifyErrorOf(socket: TLSSocket): string | undefined {
  const handle = (socket as unknown as { _handle?: { verifyError?: () => (Error & { code?: string }) | null } | null })._handle
  if (typeof handle?.verifyError !== 'function') return 'the certificate of the peer could not be verified'
  const error = handle.verifyError()
  return error === null || error === undefined ? undefined : (error.code ?? error.message)
}

/**
 * The same, where certificates out of their time are let in. OpenSSL tells one error of a chain only, and time comes last: what it
 * may hide is looked at here. `chain`: leaf first, as far as certificates were found.
 */
export function verifyErrorButTime(
  error: string | undefined,
  chain: readonly Uint8Array[],
  trustBundle: string,
): string | undefined {
  if (error === undefined || !OUT_OF_TIME.has(error)) return error
  const certificates = chain.map((der) => new X509Certificate(der))
  const anchors = certificatesOf(trustBundle)
  for (const [index, certificate] of certificates.entries()) {
    if (anchors.some(({ fingerprint256 }) => fingerprint256 === certificate.fingerprint256)) return undefined
    const issuer = certificates[index + 1]
    if (issuer === undefined || !issuer.ca || !certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) break
  }
  return 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'
}

function certificatesOf(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return blocks.map((block) => new X509Certificate(block))
}
