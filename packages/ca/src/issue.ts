import type { CertificateAuthority } from './authority.js'
import { createCsr } from './csr.js'
import type { Grant } from './grants.js'
import { createKey, exportKey, type KeyAlgorithm } from './keys.js'

/** PEM: what TLS needs to speak for a name. */
export interface IssuedIdentity {
  /** PKCS #8. */
  readonly privateKey: string
  /** Leaf first. */
  readonly certificateChain: string
  readonly trustBundle: string
}

/**
 * A new key and a certificate for it, straight from an authority in this process: the control plane's own server certificate
 * (`names: [{ dns: 'istiod.istio-system.svc' }, { ip: '127.0.0.1' }]`), tests, `heddle ca issue`.
 */
export async function issueIdentity(
  authority: CertificateAuthority,
  grant: Grant,
  algorithm?: KeyAlgorithm,
): Promise<IssuedIdentity> {
  const key = await createKey(algorithm)
  const chain = await authority.sign(createCsr(key), grant)
  return { privateKey: exportKey(key), certificateChain: chain.join(''), trustBundle: authority.trustBundle.current.join('') }
}
