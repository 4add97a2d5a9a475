import { type Clock, createWatch, formatDiagnostic, type Watch, type WatchSource } from '@heddle/runtime'
import { createLeafCertificate, type Signer } from './certificate.js'
import { readCsr } from './csr.js'
import { DEFAULT_TTL_MS, type Grant, MAX_TTL_MS } from './grants.js'
import { toPem } from './pem.js'

/** Why there is no certificate. `code` is stable: `ca.csr`, `ca.der`, `ca.ttl`, `ca.denied`, `ca.expired`, `ca.rotation`. */
export class CaError extends Error {
  override readonly name: string = 'CaError'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** Signs certificates, and says which roots to trust. */
export interface CertificateAuthority {
  /** Roots, each as PEM. Whoever serves trust to workloads subscribes. */
  readonly trustBundle: Watch<readonly string[]>
  /**
   * A certificate for the key in a PKCS #10 request (DER), with the names of the grant.
   * @returns PEM, leaf first, then intermediates; the root is in the trust bundle.
   * @throws CaError
   */
  sign(csr: Uint8Array, grant: Grant): Promise<readonly string[]>
  /** PEM, what lies between certificates that are in use and the roots: of the present signer and of those before it. Default none. */
  intermediates?(): readonly string[]
}

export interface AuthorityOptions {
  readonly clock: Clock
  /** Default 24 h. */
  readonly defaultTtlMs?: number
  /** Default 90 days. */
  readonly maxTtlMs?: number
  /** How far `notBefore` lies back, against clocks that differ; default 2 min. */
  readonly backdateMs?: number
}

/** An authority whose signer and roots can be replaced while it serves. */
export interface ReplaceableAuthority extends CertificateAuthority {
  readonly signer: Watch<Signer>
  /** Until when the certificates that this authority has signed are valid, all of them; 0 before the first. Milliseconds since the epoch. */
  readonly issuedUntil: number
  /** New roots first, so that trust in them spreads before anything they signed is seen. */
  replace(next: { readonly signer?: Signer; readonly trustBundle?: readonly string[] }): void
}

export function createAuthority(signer: Signer, trustBundle: readonly string[], options: AuthorityOptions): ReplaceableAuthority {
  const { clock, defaultTtlMs = DEFAULT_TTL_MS, maxTtlMs = MAX_TTL_MS, backdateMs = 120_000 } = options
  const signers: WatchSource<Signer> = createWatch(signer)
  const bundles: WatchSource<readonly string[]> = createWatch(trustBundle)
  const chains = new Set(signer.chain)
  let issuedUntil = 0
  return {
    // Certificates of a signer long gone have run out.
    intermediates: () => [...chains].slice(-8),
    signer: signers,
    get issuedUntil() {
      return issuedUntil
    },
    trustBundle: bundles,
    async sign(csr, { names, ttlMs = defaultTtlMs }) {
      const request = readCsr(csr)
      if (!request.ok)
        throw new CaError(request.diagnostics[0]?.code ?? 'ca.csr', request.diagnostics.map(formatDiagnostic).join('\n'))
      if (names.length === 0) throw new CaError('ca.denied', 'the grant has no names')
      if (!(ttlMs > 0 && ttlMs <= maxTtlMs))
        throw new CaError('ca.ttl', `a lifetime of ${ttlMs / 1000} s; at most ${maxTtlMs / 1000} s is given`)
      const now = clock.now()
      const current = signers.current
      if (current.certificate.notAfter <= now)
        throw new CaError(
          'ca.expired',
          `the signing certificate expired at ${new Date(current.certificate.notAfter).toISOString()}`,
        )
      const { publicKey, publicKeyInfo } = request.value
      const leaf = createLeafCertificate(
        publicKeyInfo,
        names,
        publicKey.asymmetricKeyType === 'rsa',
        { notBefore: now - backdateMs, notAfter: now + ttlMs },
        current,
      )
      issuedUntil = Math.max(issuedUntil, Math.min(now + ttlMs, current.certificate.notAfter))
      return [toPem('CERTIFICATE', leaf), ...current.chain]
    },
    replace(next) {
      if (next.trustBundle !== undefined) bundles.set(next.trustBundle)
      if (next.signer === undefined) return
      for (const certificate of next.signer.chain) chains.add(certificate)
      signers.set(next.signer)
    },
  }
}
