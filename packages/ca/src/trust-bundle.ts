import { createPublicKey, X509Certificate } from 'node:crypto'
import { fail, ok, problem, type Result } from '@heddle/runtime'
import { fromPem, toPem } from './pem.js'
import { isTrustDomain } from './spiffe-uri.js'
import { readSigningSvid } from './svid.js'
import { readX509 } from './x509.js'

/** Whom a trust domain trusts to sign for it. Several roots while they rotate, or where clusters share the domain. */
export interface TrustBundle {
  readonly trustDomain: string
  /** Roots, each as PEM. */
  readonly x509Authorities: readonly string[]
  /** Keys that sign JWT-SVIDs, public JWKs with `kid`. */
  readonly jwtAuthorities?: readonly Readonly<Record<string, unknown>>[]
  /** Grows with each change. */
  readonly sequence?: number
  /** How often to ask for news. */
  readonly refreshHintSeconds?: number
}

/** Bundles by trust domain: one's own and those federated with. A certificate is checked against the bundle of its own trust domain only. */
export type TrustBundles = ReadonlyMap<string, TrustBundle>

/** Bundles by their trust domain; of one domain the authorities are added up (several clusters in one domain). */
export function trustBundles(...bundles: readonly TrustBundle[]): TrustBundles {
  const all = new Map<string, TrustBundle>()
  for (const bundle of bundles) {
    const other = all.get(bundle.trustDomain)
    all.set(bundle.trustDomain, other === undefined ? bundle : joined(other, bundle))
  }
  return all
}

function joined(a: TrustBundle, b: TrustBundle): TrustBundle {
  return {
    ...a,
    x509Authorities: [...new Set([...a.x509Authorities, ...b.x509Authorities])],
    jwtAuthorities: [...(a.jwtAuthorities ?? []), ...(b.jwtAuthorities ?? [])],
  }
}

/** A PEM file of roots: `root-cert.pem`, `/etc/ssl/certs/ca-certificates.crt`. Each must be a CA. Code `ca.bundle`. */
export function readPemBundle(trustDomain: string, pem: string): Result<TrustBundle> {
  if (!isTrustDomain(trustDomain)) return refuse('', `${JSON.stringify(trustDomain)} is no trust domain`)
  const found = fromPem('CERTIFICATE', pem)
  if (found.length === 0) return refuse('', 'it holds no certificate in PEM')
  for (const [at, der] of found.entries()) {
    const certificate = readX509(der)
    if (!certificate.ok) return refuse(`[${at}]`, certificate.diagnostics.map(({ message }) => message).join('; '))
    if (certificate.value.constraints?.ca !== true) return refuse(`[${at}]`, 'it is no CA certificate (basicConstraints)')
  }
  return ok({ trustDomain, x509Authorities: [...new Set(found.map((der) => toPem('CERTIFICATE', der)))] })
}

interface Jwk {
  readonly [parameter: string]: unknown
}

/**
 * A bundle as a trust domain publishes it (SPIFFE Trust Domain and Bundle §4): a JWK Set with one entry for each authority. Entries of
 * unknown uses and key types, and those without a certificate, are passed over, as the specification has it. Code `ca.bundle`.
 */
export function readSpiffeBundle(trustDomain: string, text: string): Result<TrustBundle> {
  if (!isTrustDomain(trustDomain)) return refuse('', `${JSON.stringify(trustDomain)} is no trust domain`)
  const set = parse(text)
  if (set === undefined || !Array.isArray(set['keys'])) return refuse('keys', 'it is no JWK Set: the list `keys` is missing')
  const sequence = integerOf(set['spiffe_sequence'])
  const refreshHintSeconds = integerOf(set['spiffe_refresh_hint'])
  if (sequence === 'wrong') return refuse('spiffe_sequence', 'it is no integer from 0 on')
  if (refreshHintSeconds === 'wrong') return refuse('spiffe_refresh_hint', 'it is no number of seconds')
  const x509Authorities: string[] = []
  const jwtAuthorities: Jwk[] = []
  for (const [at, jwk] of (set['keys'] as readonly Jwk[]).entries()) {
    if (jwk?.['use'] === 'jwt-svid' && typeof jwk['kid'] === 'string' && isKnownKey(jwk)) jwtAuthorities.push(publicPart(jwk))
    if (jwk?.['use'] !== 'x509-svid' || !KEY_TYPES.has(jwk['kty'])) continue
    const [base64] = Array.isArray(jwk['x5c']) ? (jwk['x5c'] as readonly unknown[]) : []
    if (typeof base64 !== 'string' || base64 === '') continue
    const der = new Uint8Array(Buffer.from(base64, 'base64'))
    const certificate = readSigningSvid(der)
    if (!certificate.ok) return refuse(`keys[${at}].x5c[0]`, certificate.diagnostics.map(({ message }) => message).join('; '))
    x509Authorities.push(toPem('CERTIFICATE', der))
  }
  return ok({
    trustDomain,
    x509Authorities: [...new Set(x509Authorities)],
    ...(jwtAuthorities.length === 0 ? {} : { jwtAuthorities }),
    ...(sequence === undefined ? {} : { sequence }),
    ...(refreshHintSeconds === undefined ? {} : { refreshHintSeconds }),
  })
}

/** The JWK Set that others federate with: what a bundle endpoint serves as `application/json`. */
export function writeSpiffeBundle(bundle: TrustBundle): string {
  const keys = bundle.x509Authorities.map((pem) => {
    const certificate = new X509Certificate(pem)
    const jwk = createPublicKey(certificate.publicKey.export({ type: 'spki', format: 'pem' })).export({ format: 'jwk' })
    return { use: 'x509-svid', ...jwk, x5c: [certificate.raw.toString('base64')] }
  })
  const set = {
    keys: [...keys, ...(bundle.jwtAuthorities ?? []).map((jwk) => ({ ...publicPart(jwk), use: 'jwt-svid' }))],
    ...(bundle.sequence === undefined ? {} : { spiffe_sequence: bundle.sequence }),
    ...(bundle.refreshHintSeconds === undefined ? {} : { spiffe_refresh_hint: bundle.refreshHintSeconds }),
  }
  return `${JSON.stringify(set, undefined, 2)}\n`
}

const KEY_TYPES: ReadonlySet<unknown> = new Set(['RSA', 'EC', 'OKP'])
const PRIVATE_PARTS: ReadonlySet<string> = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])

/** Without what makes a JWK private: a bundle is for everybody. */
function publicPart(jwk: Jwk): Jwk {
  return Object.fromEntries(Object.entries(jwk).filter(([name]) => !PRIVATE_PARTS.has(name)))
}

function isKnownKey(jwk: Jwk): boolean {
  try {
    return KEY_TYPES.has(jwk['kty']) && createPublicKey({ key: publicPart(jwk), format: 'jwk' }).type === 'public'
  } catch {
    return false
  }
}

function integerOf(value: unknown): number | undefined | 'wrong' {
  if (value === undefined) return undefined
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : 'wrong'
}

function parse(text: string): Jwk | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Jwk) : undefined
  } catch {
    return undefined
  }
}

function refuse(path: string, why: string): Result<TrustBundle> {
  return fail(problem('ca.bundle', path, `the trust bundle is refused: ${why}`))
}
