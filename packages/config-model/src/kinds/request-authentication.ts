import { validateRequestAuthentication } from '../checks/request-authentication.js'
import { fields } from '../decode/fields.js'
import { duration, flag, listOf, oneOf, text } from '../decode/value.js'
import type { Resource } from '../resource.js'
import type { Duration, MatchLabelsSelector, PolicyTargetReference } from './common.js'
import { matchLabelsSelector, targetReference, texts } from './common.js'
import { defineKind, type Kind } from './kind.js'

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
  /** REQUIRED: a request without a token is refused. Default: it passes. */
  presence?: 'UNSPECIFIED' | 'OPTIONAL' | 'REQUIRED'
}

const jwtRule = fields<JWTRule>(
  {
    issuer: text,
    audiences: texts,
    jwksUri: text,
    jwks: text,
    fromHeaders: listOf(fields<{ name: string; prefix?: string }>({ name: text, prefix: text }, { defaults: { name: '' } })),
    fromParams: texts,
    fromCookies: texts,
    outputPayloadToHeader: text,
    outputClaimToHeaders: listOf(
      fields<{ header: string; claim: string }>({ header: text, claim: text }, { defaults: { header: '', claim: '' } }),
    ),
    forwardOriginalToken: flag,
    timeout: duration,
    spaceDelimitedClaims: texts,
    presence: oneOf('UNSPECIFIED', 'OPTIONAL', 'REQUIRED'),
  },
  {
    defaults: { issuer: '' },
  },
)

export const requestAuthentication: Kind<RequestAuthentication> = defineKind<RequestAuthentication>({
  name: 'RequestAuthentication',
  groups: ['security.istio.io'],
  namespaced: true,
  body: 'spec',
  spec: fields<RequestAuthenticationSpec>({
    selector: matchLabelsSelector,
    targetRef: targetReference,
    targetRefs: listOf(targetReference),
    jwtRules: listOf(jwtRule),
  }),
  validate: validateRequestAuthentication,
})
