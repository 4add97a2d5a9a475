import { constants } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import { dropOldest } from '@heddle/runtime'
import { identitiesFor } from './identity-choice.js'
import { presentedChain } from './presented-chain.js'
import type { TlsMaterial, TlsTerms } from './tls.js'
import { secureTerms, termsText } from './tls-terms.js'
import { readSubjectAltNames } from './x509/peer-certificate.js'
import { derOf, pemBlocks } from './x509/pem.js'

interface Parameters {
  readonly terms: TlsTerms
  /** Tickets are given, or taken and kept. */
  readonly tickets?: boolean
  /** A server's: for how many seconds its tickets are good. */
  readonly sessionTimeoutS?: number | undefined
  /** A server's: a ticket of a client that was not asked for its certificate is none for where it is asked. */
  readonly asksForCertificate?: boolean
  readonly prefersClientCiphers?: boolean | undefined
  readonly scansAllCertificates?: boolean | undefined
}

// BoringSSL leaves what it holds equal, and all of TLS 1.3, to the client's order: of that OpenSSL knows who has no AES in hardware.
const CHACHA_AT_WISH = constants.SSL_OP_PRIORITIZE_CHACHA

// One context for each material, certificates and parameters: reading keys and certificates costs more than a handshake.
const contexts = new WeakMap<TlsMaterial, Map<string, SecureContext>>()
const leaves = new Map<string, LocalLeaf>()
const MAX_KNOWN_CHAINS = 100

/**
 * `serverName` chooses among several certificates. Throws what node:tls throws: key and certificate do not fit, PEM that is none.
 */
export function secureContextOf(material: TlsMaterial, parameters: Parameters, serverName?: string): SecureContext {
  const { terms, tickets = false, sessionTimeoutS, asksForCertificate = false, prefersClientCiphers = false } = parameters
  const identities = identitiesFor(material, serverName, parameters.scansAllCertificates)
  const chains = identities.map(({ certificateChain }) => certificateChain)
  const uses = `${tickets} ${sessionTimeoutS} ${asksForCertificate} ${prefersClientCiphers}`
  const key = `${termsText(terms)} ${uses} ${material.others === undefined ? '' : chains.join('')}`
  let known = contexts.get(material)
  if (known === undefined) {
    known = new Map()
    contexts.set(material, known)
  }
  let context = known.get(key)
  if (context === undefined) {
    const cert = chains.map((chain) => presentedChain(chain, material.trustBundle))
    context = createSecureContext({
      ...(identities.length === 0 ? {} : { cert, key: identities.map(({ privateKey }) => privateKey) }),
      // As BoringSSL under Envoy: whatever stands in the bundle is an anchor, self-signed or not.
      ...(material.trustBundle === undefined ? {} : { ca: material.trustBundle, allowPartialTrustChain: true }),
      ...(material.crl === undefined ? {} : { crl: [...pemBlocks(material.crl, 'X509 CRL')] }),
      ...secureTerms(terms),
      honorCipherOrder: !prefersClientCiphers,
      // OpenSSL makes ticket keys of each context's own: a ticket ends with the material that it was given under (CVE-2022-21654).
      sessionIdContext: 'heddle',
      ...(sessionTimeoutS === undefined ? {} : { sessionTimeout: sessionTimeoutS }),
      secureOptions: CHACHA_AT_WISH | (tickets ? 0 : constants.SSL_OP_NO_TICKET),
    })
    known.set(key, context)
  }
  return context
}

/** A certificate of our own. */
export interface LocalLeaf {
  readonly der: Uint8Array
  /** Its URI SANs. */
  readonly uris: readonly string[]
}

/** Our certificate in a handshake. `shown`: by its DER, where there are several to choose from. */
export function localLeafOf(material: TlsMaterial, shown: () => Uint8Array | undefined): LocalLeaf | undefined {
  if (material.others !== undefined) return leafOf(shown())
  const { certificateChain: chain } = material
  if (chain === undefined) return undefined
  const known = leaves.get(chain)
  if (known !== undefined) return known
  const leaf = leafOf(derOf(chain)[0])
  if (leaf === undefined) return undefined
  leaves.set(chain, leaf)
  dropOldest(leaves, MAX_KNOWN_CHAINS)
  return leaf
}

function leafOf(der: Uint8Array | undefined): LocalLeaf | undefined {
  return der && { der, uris: readSubjectAltNames(der).uris }
}
