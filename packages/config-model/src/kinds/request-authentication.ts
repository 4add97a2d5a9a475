import type { Resource } from '../resource.js'
import type { Duration, MatchLabelsSelector, PolicyTargetReference } from './common.js'

/** security.istio.io RequestAuthentication. */
export interface RequestAuthenticationSpec {
  selector?: MatchLabelsSelector
  targetRef?: PolicyTargetReference
  targetRefs?: readonly PolicyTargetReference[]
  jwtRules?: readonly JWTRule[]
}

export type RequestAuthentication = Resource<'RequestAuthentication', RequestAuthenticationSpec>

export interface JWTRule {
  issuer: string
  audiences?: readonly string[]
  /** Neither this nor `jwks`: OIDC discovery from the issuer. */
  jwksUri?: string
  jwks?: string
  fromHeaders?: readonly { name: string; prefix?: string }[]
  fromParams?: readonly string[]
  fromCookies?: readonly string[]
  outputPayloadToHeader?: string
  outputClaimToHeaders?: readonly { header: string; claim: string }[]
  forwardOriginalToken?: boolean
  /** Default 5 s. */
  timeout?: Duration
  spaceDelimitedClaims?: readonly string[]
}
