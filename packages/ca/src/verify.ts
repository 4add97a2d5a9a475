import { X509Certificate } from 'node:crypto'
import { fail, ok, problem, type Result } from '@heddle/runtime'
import type { RevocationList } from './crl.js'
import { isTrustedAlgorithm } from './keys.js'
import { fromPem } from './pem.js'
import { readLeafSvid, readSigningSvid, type Svid } from './svid.js'
import type { TrustBundles } from './trust-bundle.js'
import { readX509, type X509View } from './x509.js'

export interface VerifyOptions {
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Lists of revoked certificates, checked already to be of who they say; those of other issuers are passed over. Default none. */
  readonly revocations?: readonly RevocationList[]
}

const MAX_CHAIN = 16
const ANY_PURPOSE = '2.5.29.37.0'
const TLS_PURPOSES: ReadonlySet<string> = new Set(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2', ANY_PURPOSE])

/**
 * X509-SVID §5: the leaf follows its rules, and a path of signing certificates (RFC 5280 §6) leads from it to a root of its own trust
 * domain's bundle. Codes `ca.svid` for what a certificate is, `ca.untrusted` for where it comes from, `ca.expired`, `ca.revoked`.
 * @param chain DER, the leaf first; what else is there may be of use for the path, in any order.
 */
export function verifySvid(chain: readonly Uint8Array[], bundles: TrustBundles, options: VerifyOptions): Result<Svid> {
  const [der, ...rest] = chain
  if (der === undefined || chain.length > MAX_CHAIN)
    return refuse('ca.untrusted', `${chain.length} certificates; 1 to ${MAX_CHAIN} are looked at`)
  const leaf = readLeafSvid(der)
  if (!leaf.ok) return leaf
  const { trustDomain } = leaf.value.id
  const bundle = bundles.get(trustDomain)
  if (bundle === undefined) return refuse('ca.untrusted', `nothing is known of the trust domain ${trustDomain}`)
  const roots = bundle.x509Authorities.flatMap((pem) => fromPem('CERTIFICATE', pem)).flatMap(anchorOf)
  const intermediates = rest.flatMap((one) => candidateOf(readSigningSvid(one)))
  const path = pathOf(leaf.value.certificate, roots, intermediates)
  if (path === undefined)
    return refuse('ca.untrusted', `no path leads from ${leaf.value.spiffeId} to a root of ${trustDomain} that this mesh trusts`)
  const late = path.find(({ notBefore, notAfter }) => notBefore > options.now || notAfter < options.now)
  if (late !== undefined)
    return refuse('ca.expired', `a certificate of the path is valid from ${time(late.notBefore)} to ${time(late.notAfter)} only`)
  const revoked = path.find((one) => isRevoked(one, options.revocations ?? []))
  if (revoked !== undefined) return refuse('ca.revoked', `the certificate with serial number ${revoked.serial} is revoked`)
  return ok(leaf.value)
}

/** A root counts for what it is: RFC 5280 §6.1.1 asks nothing of an anchor but its name and key; we ask that it says it is a CA. */
function anchorOf(der: Uint8Array): X509View[] {
  const read = readX509(der)
  if (!read.ok || read.value.constraints?.ca !== true) return []
  const { keyUsage } = read.value
  return keyUsage === undefined || keyUsage.uses.has('keyCertSign') ? [read.value] : []
}

function candidateOf(read: Result<X509View>): X509View[] {
  // A purpose on a CA limits what is below it, for OpenSSL, Go and Envoy alike.
  return read.ok && (read.value.extendedKeyUsage ?? [ANY_PURPOSE]).some((purpose) => TLS_PURPOSES.has(purpose))
    ? [read.value]
    : []
}

/** Leaf to root, both included. Depth first; each certificate is used once, so that no loop and no long detour is walked. */
function pathOf(
  leaf: X509View,
  roots: readonly X509View[],
  pool: readonly X509View[],
  below = 0,
): readonly X509View[] | undefined {
  for (const root of roots) if (issued(root, leaf, below)) return [leaf, root]
  for (const candidate of pool) {
    if (!issued(candidate, leaf, below)) continue
    const rest = pathOf(
      candidate,
      roots,
      pool.filter((one) => one !== candidate),
      below + 1,
    )
    if (rest !== undefined) return [leaf, ...rest]
  }
  return undefined
}

/** @param below how many intermediates stand between the issuer and the leaf at the path's end. */
function issued(issuer: X509View, certificate: X509View, below: number): boolean {
  const limit = issuer.constraints?.pathLength
  if (limit !== undefined && below > limit) return false
  if (Buffer.compare(issuer.subject, certificate.issuer) !== 0) return false
  try {
    const [upper, lower] = [new X509Certificate(issuer.der), new X509Certificate(certificate.der)]
    return isTrustedAlgorithm(certificate.signatureAlgorithm) && lower.checkIssued(upper) && lower.verify(upper.publicKey)
  } catch {
    // What OpenSSL cannot read proves nothing.
    return false
  }
}

function isRevoked({ issuer, serial }: X509View, lists: readonly RevocationList[]): boolean {
  return lists.some((list) => Buffer.compare(list.issuer, issuer) === 0 && list.revoked.has(serial))
}

const time = (at: number): string => new Date(at).toISOString()

function refuse(code: string, message: string): Result<Svid> {
  return fail(problem(code, '', message))
}
