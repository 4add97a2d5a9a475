import { type CertificateAuthority, type FollowedBundle, followBundle, splitCertificates, writeSpiffeBundle } from '@heddle/ca'
import type { MeshConfig, MeshSnapshot } from '@heddle/config-model'
import { type Clock, createWatch, type Logger, mapWatch, type Random, type Watch } from '@heddle/runtime'
import { guardedGet } from './guarded-get.js'

/** How often other trust domains should look for a change. */
const REFRESH_HINT_SECONDS = 300

/** What this mesh tells others to trust: the authority's roots as a SPIFFE bundle, whose sequence grows with each change. */
export function publishedBundle(authority: CertificateAuthority, trustDomain: string, clock: Clock): Watch<string> {
  return mapWatch(authority.trustBundle, (x509Authorities) =>
    writeSpiffeBundle({ trustDomain, x509Authorities, sequence: clock.now(), refreshHintSeconds: REFRESH_HINT_SECONDS }),
  )
}

export interface FederationOptions {
  readonly snapshots: Watch<MeshSnapshot>
  readonly clock: Clock
  readonly random: Random
  readonly logger?: Logger
  /** Gets a bundle; default: by HTTPS. */
  readonly fetch?: (url: string, signal: AbortSignal) => Promise<string>
}

/** Roots that workloads trust beside the authority's own. Callers of the control plane are never known by them. */
export interface Federation {
  /** PEM. */
  readonly roots: Watch<readonly string[]>
  close(): void
}

/** By HTTPS only: a bundle that anybody on the way can change lets them be anybody. */
async function getBundle(url: string): Promise<string> {
  if (!url.startsWith('https://')) throw new Error(`${url} is not https`)
  return guardedGet(url)
}

/** `caCertificates` of the mesh config: roots in PEM, and the bundles of other trust domains by URL, which are followed. */
export function followFederation({ snapshots, fetch = getBundle, ...options }: FederationOptions): Federation {
  const roots = createWatch<readonly string[]>([])
  let followed: readonly FollowedBundle[] = []
  let current: MeshConfig['caCertificates']
  const publish = (): void => {
    const fixed = (current ?? []).flatMap(({ pem = '' }) => splitCertificates(pem))
    roots.set([...fixed, ...followed.flatMap(({ bundle }) => bundle.current?.x509Authorities ?? [])])
  }
  const stopFollowing = (): void => {
    for (const one of followed) one.close()
  }
  const configure = ({ meshConfig }: MeshSnapshot): void => {
    if (meshConfig.caCertificates === current) return
    current = meshConfig.caCertificates
    stopFollowing()
    followed = (current ?? []).flatMap(({ spiffeBundleUrl: url, trustDomains: [trustDomain = meshConfig.trustDomain] = [] }) =>
      url === undefined ? [] : [followBundle({ trustDomain, fetch: (signal) => fetch(url, signal), ...options })],
    )
    for (const { bundle } of followed) bundle.subscribe(publish)
    publish()
  }
  configure(snapshots.current)
  const stop = snapshots.subscribe(configure)
  return {
    roots,
    close() {
      stop()
      stopFollowing()
    },
  }
}
