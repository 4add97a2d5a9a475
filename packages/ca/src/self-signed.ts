import { DEFAULT_TRUST_DOMAIN } from '@heddle/runtime'
import { type AuthorityOptions, CaError, createAuthority, type ReplaceableAuthority } from './authority.js'
import { createRootCertificate, readCertificate, type Signer } from './certificate.js'
import { createKey, exportKey, importKey, type KeyAlgorithm } from './keys.js'
import { fromPem, toPem } from './pem.js'
import { isTrustDomain } from './spiffe-uri.js'
import { createMemoryStore, type RootMaterial, type RootStore } from './store.js'

const DAY = 86_400_000

export interface SelfSignedOptions extends AuthorityOptions {
  /** The root's organization and SPIFFE ID. Default `cluster.local`. */
  readonly trustDomain?: string
  /** Where the root is kept. Default: in memory, gone with the process. */
  readonly store?: RootStore
  /** Of the root's key. Default P-256. */
  readonly algorithm?: KeyAlgorithm
  /** Default ten years, as Istio's. */
  readonly rootTtlMs?: number
}

/**
 * An authority with a root of its own, made when the store has none and kept there.
 * @throws CaError when what the store has is not a CA or has expired, and for a trust domain that SPIFFE does not allow.
 */
export async function createSelfSignedAuthority(options: SelfSignedOptions): Promise<ReplaceableAuthority> {
  const { store = createMemoryStore() } = options
  const root = (await store.load()) ?? (await store.save(await createRoot(options)))
  const signer = rootSigner(root)
  if (signer.certificate.notAfter <= options.clock.now())
    throw new CaError(
      'ca.expired',
      `the kept root expired at ${new Date(signer.certificate.notAfter).toISOString()}; remove it, and a new one is made`,
    )
  return createAuthority(signer, [root.certificate], options)
}

async function createRoot({
  clock,
  trustDomain = DEFAULT_TRUST_DOMAIN,
  algorithm = 'P-256',
  rootTtlMs = 3650 * DAY,
  backdateMs = 120_000,
}: SelfSignedOptions): Promise<RootMaterial> {
  if (!isTrustDomain(trustDomain)) throw new CaError('spiffe.invalid_id', `${JSON.stringify(trustDomain)} is no trust domain`)
  const key = await createKey(algorithm)
  const now = clock.now()
  const validity = { notBefore: now - backdateMs, notAfter: now + rootTtlMs }
  const der = createRootCertificate(key, { organization: trustDomain, trustDomain }, validity)
  return { certificate: toPem('CERTIFICATE', der), privateKey: exportKey(key) }
}

function rootSigner(root: RootMaterial): Signer {
  const [der] = fromPem('CERTIFICATE', root.certificate)
  const facts = der === undefined ? undefined : readCertificate(der)
  if (facts?.ok !== true || !facts.value.ca) throw new CaError('ca.certificate', 'the kept root is not a CA certificate')
  return { certificate: facts.value, key: importKey(root.privateKey), chain: [] }
}
