import { type MeshSnapshot, selects } from '@heddle/config-model'
import type { Diagnostic } from '@heddle/runtime'
import type { Authorization } from '@heddle/xds-types/istio/security'
import { DEFAULT_FEATURES, type PilotFeatures } from '../pilot-features.js'
import { isDryRun } from '../security/authorization-policies.js'
import { isEmpty } from '../selection.js'
import { l4Authorization } from './authorization-policy.js'
import { l4PeerAuthentication, peerAuthenticationKeys, staticStrict } from './peer-authentication.js'

export interface AmbientPolicies {
  /** Resources of type `istio.security.Authorization`, named `namespace/name`. */
  readonly authorizations: readonly Authorization[]
  /** What of the policies an L4 proxy cannot do. */
  readonly diagnostics: readonly Diagnostic[]
  /** The names that a workload's entry carries: of policies that select it. Those of its namespace and of the mesh hold without being named. */
  ofWorkload(namespace: string, labels: Readonly<Record<string, string>>): readonly string[]
}

/** AuthorizationPolicies and PeerAuthentications of the mesh as an L4 proxy of ambient mode (ztunnel) takes them. */
export function ambientPolicies(
  snapshot: MeshSnapshot,
  features: Pick<PilotFeatures, 'ambientDryRun'> = DEFAULT_FEATURES,
): AmbientPolicies {
  const root = snapshot.meshConfig.rootNamespace
  const peers = snapshot.list('PeerAuthentication')
  const policies = snapshot.list('AuthorizationPolicy').filter((policy) => features.ambientDryRun || !isDryRun(policy))
  const converted = policies.map((policy) => ({ policy, ...l4Authorization(policy, root) }))
  const widest = (namespace: string): (typeof peers)[number] | undefined =>
    peers.find((p) => p.metadata.namespace === namespace && isEmpty(p.spec.selector?.matchLabels))
  const fromPeers = peers.flatMap((peer) => {
    const parents = { namespace: widest(peer.metadata.namespace), mesh: widest(root) }
    return l4PeerAuthentication(peer, parents, root) ?? []
  })
  return {
    authorizations: [
      ...converted.flatMap(({ authorization }) => authorization ?? []),
      ...(peers.length === 0 ? [] : [staticStrict(root)]),
      ...fromPeers,
    ],
    diagnostics: converted.flatMap(({ diagnostics }) => diagnostics),
    ofWorkload(namespace, labels) {
      const here = (of: string): boolean => of === namespace || of === root
      const own = converted.filter(
        ({ policy: { metadata, spec }, authorization }) =>
          authorization?.scope === 'WORKLOAD_SELECTOR' && here(metadata.namespace) && selects(spec.selector?.matchLabels, labels),
      )
      const selecting = peers.filter(
        ({ metadata, spec }) =>
          here(metadata.namespace) && (isEmpty(spec.selector?.matchLabels) || selects(spec.selector?.matchLabels, labels)),
      )
      return [
        ...own.map(({ policy: { metadata } }) => `${metadata.namespace}/${metadata.name}`),
        ...peerAuthenticationKeys(selecting, root),
      ].sort()
    },
  }
}
