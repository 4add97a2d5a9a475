import { validatePeerAuthentication } from '../checks/peer-authentication.js'
import { fields } from '../decode/fields.js'
import { mapOf, oneOf } from '../decode/value.js'
import type { Resource } from '../resource.js'
import type { MatchLabelsSelector } from './common.js'
import { matchLabelsSelector } from './common.js'
import { defineKind, type Kind } from './kind.js'

export type MutualTLSMode = 'UNSET' | 'DISABLE' | 'PERMISSIVE' | 'STRICT'

/** security.istio.io PeerAuthentication. */
export interface PeerAuthenticationSpec {
  selector?: MatchLabelsSelector
  /** Absent or UNSET: of the parent, then PERMISSIVE. */
  mtls?: { mode: MutualTLSMode }
  /** By port of the workload; only with a selector. */
  portLevelMtls?: Readonly<Record<number, { mode: MutualTLSMode }>>
}

export type PeerAuthentication = Resource<'PeerAuthentication', PeerAuthenticationSpec>

const mtls = fields<{ mode: MutualTLSMode }>(
  { mode: oneOf('UNSET', 'DISABLE', 'PERMISSIVE', 'STRICT') },
  { defaults: { mode: 'UNSET' } },
)

export const peerAuthentication: Kind<PeerAuthentication> = defineKind<PeerAuthentication>({
  name: 'PeerAuthentication',
  groups: ['security.istio.io'],
  namespaced: true,
  body: 'spec',
  spec: fields<PeerAuthenticationSpec>({ selector: matchLabelsSelector, mtls, portLevelMtls: mapOf(mtls) }),
  validate: validatePeerAuthentication,
})
