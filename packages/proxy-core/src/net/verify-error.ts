import type { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { TlsMaterial } from './tls.js'
import { type ChainQuestion, chainProblem } from './x509/chain.js'
import { derOf } from './x509/pem.js'

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

/** What our own verification is asked, beside the peer's chain and the trust that it must lead to. */
export type OwnQuestion = Pick<ChainQuestion, 'at' | 'profile' | 'purpose' | 'name'>

/** Our own verification. `chain`: DER, leaf first, as far as certificates were found. */
export function ownProblem(chain: readonly Uint8Array[], material: TlsMaterial, question: OwnQuestion): string | undefined {
  const [leaf, ...presented] = chain
  if (leaf === undefined) return 'the peer presented no certificate'
  return chainProblem({
    ...question,
    leaf,
    presented,
    anchors: derOf(material.trustBundle ?? ''),
    ...(material.crl === undefined ? {} : { crls: derOf(material.crl) }),
  })
}

/** OpenSSL tells one error of a chain only, and time comes last: what it may hide must be looked for. */
export function isOutOfTime(error: string | undefined): boolean {
  return error !== undefined && OUT_OF_TIME.has(error)
}

/** OpenSSL looks at the time of whole handshakes only. */
export function timeProblem(chain: readonly X509Certificate[], at: number): string | undefined {
  for (const { validFrom, validTo } of chain) {
    if (at > Date.parse(validTo)) return 'CERT_HAS_EXPIRED'
    if (at < Date.parse(validFrom)) return 'CERT_NOT_YET_VALID'
  }
  return undefined
}
