import { createPrivateKey } from 'node:crypto'
import type { JWTBundlesResponse, X509BundlesResponse, X509SVIDResponse } from '@heddle/xds-types/spiffe/workload'
import { concat } from '../der/writer.js'
import { fromPem } from '../pem.js'
import type { TrustBundle, TrustBundles } from '../trust-bundle.js'
import type { WorkloadEntry } from './workload-api.js'

/** Every answer is complete (Workload API §4.3): what is left out of it is gone. */
export function x509SvidResponse(
  entries: readonly WorkloadEntry[],
  bundles: TrustBundles,
  crls: readonly string[],
): X509SVIDResponse {
  const own = new Set(entries.map(({ spiffeId }) => trustDomainOf(spiffeId)))
  const hints = new Set<string>()
  const federated = [...bundles].filter(([trustDomain]) => !own.has(trustDomain))
  return {
    svids: entries.map(({ spiffeId, certificateChain, privateKey, trustBundle, hint = '' }) => {
      const bundle = bundles.get(trustDomainOf(spiffeId))
      // Twice the same tells nothing apart: it stays with the first (§5.2.1).
      const ownHint = hints.has(hint) ? '' : hint
      hints.add(hint)
      return {
        spiffe_id: spiffeId,
        x509_svid: derOf(certificateChain),
        x509_svid_key: new Uint8Array(createPrivateKey(privateKey).export({ type: 'pkcs8', format: 'der' })),
        bundle: bundle === undefined ? derOf(trustBundle) : authoritiesOf(bundle),
        hint: ownHint,
      }
    }),
    crl: crlsOf(crls),
    federated_bundles: byId(federated, authoritiesOf),
  }
}

export function x509BundlesResponse(bundles: TrustBundles, crls: readonly string[]): X509BundlesResponse {
  return { crl: crlsOf(crls), bundles: byId([...bundles], authoritiesOf) }
}

/** Only keys that sign tokens, as a JWK Set of RFC 7517 for each trust domain. */
export function jwtBundlesResponse(bundles: TrustBundles): JWTBundlesResponse {
  return { bundles: byId([...bundles], ({ jwtAuthorities = [] }) => Buffer.from(JSON.stringify({ keys: jwtAuthorities }))) }
}

function byId(
  bundles: readonly [string, TrustBundle][],
  encode: (bundle: TrustBundle) => Uint8Array,
): Record<string, Uint8Array> {
  return Object.fromEntries(bundles.map(([trustDomain, bundle]) => [`spiffe://${trustDomain}`, encode(bundle)]))
}

function authoritiesOf({ x509Authorities }: TrustBundle): Uint8Array {
  return derOf(x509Authorities.join(''))
}

function crlsOf(crls: readonly string[]): Uint8Array[] {
  return crls.flatMap((pem) => fromPem('X509 CRL', pem))
}

/** Certificates one after the other, without anything between. */
function derOf(pem: string): Uint8Array {
  return concat(fromPem('CERTIFICATE', pem))
}

function trustDomainOf(spiffeId: string): string {
  return spiffeId.slice('spiffe://'.length).split('/', 1)[0] ?? ''
}
