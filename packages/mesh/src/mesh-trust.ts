import { type CertificateAuthority, splitCertificates, writeSpiffeBundle } from '@heddle/ca'
import type { MeshSnapshot } from '@heddle/config-model'
import { type Clock, mapWatch, type Watch } from '@heddle/runtime'

/** How often other trust domains should look for a change. */
const REFRESH_HINT_SECONDS = 300

/** What this mesh tells others to trust: the authority's roots as a SPIFFE bundle, whose sequence grows with each change. */
export function publishedBundle(authority: CertificateAuthority, trustDomain: string, clock: Clock): Watch<string> {
  return mapWatch(authority.trustBundle, (x509Authorities) =>
    writeSpiffeBundle({ trustDomain, x509Authorities, sequence: clock.now(), refreshHintSeconds: REFRESH_HINT_SECONDS }),
  )
}

/**
 * Roots that workloads trust beside the authority's own: `caCertificates[].pem` of the mesh config. Callers of the control plane are never
 * known by them.
 */
export function federatedRoots(snapshots: Watch<MeshSnapshot>): Watch<readonly string[]> {
  return mapWatch(snapshots, ({ meshConfig: { caCertificates = [] } }) =>
    caCertificates.flatMap(({ pem = '' }) => splitCertificates(pem)),
  )
}
