import type { Resource } from '../resource.js'
import type { MatchLabelsSelector } from './common.js'

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
