import { type Clock, systemClock } from '@heddle/runtime'
import type { CertificateAuthority } from './authority.js'
import { fromPem } from './pem.js'
import type { Revocations } from './revocations.js'
import type { Svid } from './svid.js'
import { trustBundles } from './trust-bundle.js'
import { verifySvid } from './verify.js'

export interface OwnSvidOptions {
  readonly authority: CertificateAuthority
  /** Of the certificates that count. */
  readonly trustDomain: string
  /** A revoked certificate proves nobody; default: none is revoked. */
  readonly revocations?: Pick<Revocations, 'isRevoked'>
  /** Default: the machine's. */
  readonly clock?: Clock
}

/**
 * Who a client's certificate proves; undefined: nobody. It counts only when it is an SVID that the authority has issued: a server that
 * asks for a certificate without insisting on it is shown anything.
 * @param leaf DER
 */
export function verifyOwnSvid(
  leaf: Uint8Array,
  { authority, trustDomain, revocations, clock = systemClock }: OwnSvidOptions,
): Svid | undefined {
  // Servers of gRPC tell the leaf only.
  const chain = [leaf, ...(authority.intermediates?.() ?? []).flatMap((pem) => fromPem('CERTIFICATE', pem))]
  const bundles = trustBundles({ trustDomain, x509Authorities: authority.trustBundle.current })
  const verified = verifySvid(chain, bundles, { now: clock.now() })
  if (!verified.ok || revocations?.isRevoked(verified.value.certificate.serial) === true) return undefined
  return verified.value
}
