import type { Resource } from '../resource.js'
import type { MatchLabelsSelector, PolicyTargetReference } from './common.js'

/** security.istio.io AuthorizationPolicy. */
export interface AuthorizationPolicySpec {
  selector?: MatchLabelsSelector
  targetRef?: PolicyTargetReference
  targetRefs?: readonly PolicyTargetReference[]
  /** Default ALLOW. */
  action: 'ALLOW' | 'DENY' | 'AUDIT' | 'CUSTOM'
  /** Of CUSTOM: the extension provider of MeshConfig. */
  provider?: { name: string }
  /** Absent or empty: nothing matches, so ALLOW denies all. A rule `{}` matches everything. */
  rules?: readonly AuthorizationRule[]
}

export type AuthorizationPolicy = Resource<'AuthorizationPolicy', AuthorizationPolicySpec>

export interface AuthorizationRule {
  from?: readonly { source: AuthorizationSource }[]
  to?: readonly { operation: AuthorizationOperation }[]
  when?: readonly AuthorizationCondition[]
}

/** All set fields must match, one value of each is enough. */
export interface AuthorizationSource {
  principals?: readonly string[]
  notPrincipals?: readonly string[]
  requestPrincipals?: readonly string[]
  notRequestPrincipals?: readonly string[]
  namespaces?: readonly string[]
  notNamespaces?: readonly string[]
  serviceAccounts?: readonly string[]
  notServiceAccounts?: readonly string[]
  ipBlocks?: readonly string[]
  notIpBlocks?: readonly string[]
  remoteIpBlocks?: readonly string[]
  notRemoteIpBlocks?: readonly string[]
  trustDomains?: readonly string[]
  notTrustDomains?: readonly string[]
}

export interface AuthorizationOperation {
  hosts?: readonly string[]
  notHosts?: readonly string[]
  ports?: readonly string[]
  notPorts?: readonly string[]
  methods?: readonly string[]
  notMethods?: readonly string[]
  paths?: readonly string[]
  notPaths?: readonly string[]
}

export interface AuthorizationCondition {
  /** `request.headers[x]`, `source.ip`, ... */
  key: string
  values?: readonly string[]
  notValues?: readonly string[]
}
