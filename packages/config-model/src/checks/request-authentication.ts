import { into, refuse, type Site, warn } from '../decode/site.js'
import type { JWTRule, RequestAuthentication } from '../kinds/request-authentication.js'
import { CODE } from './code.js'
import { checkDuration } from './duration.js'
import { each } from './each.js'
import { checkHeaderName } from './header.js'
import { checkTargets } from './target-ref.js'

export function validateRequestAuthentication({ spec }: RequestAuthentication, at: Site): void {
  checkTargets(spec, at)
  each(spec.jwtRules, at, 'jwtRules', checkRule)
}

function checkRule(rule: JWTRule, at: Site): void {
  if (rule.issuer === '' && (rule.jwksUri ?? '') + (rule.jwks ?? '') === '')
    refuse(into(at, 'issuer'), CODE.required, 'issuer must be set, or jwksUri or jwks')
  const notEmpty = (value: string, place: Site): void => {
    if (value === '') refuse(place, CODE.invalid, 'must be non-empty')
  }
  each(rule.audiences, at, 'audiences', notEmpty)
  each(rule.fromParams, at, 'fromParams', notEmpty)
  each(rule.fromCookies, at, 'fromCookies', notEmpty)
  each(rule.spaceDelimitedClaims, at, 'spaceDelimitedClaims', notEmpty)
  if ((rule.jwksUri ?? '') !== '' && (rule.jwks ?? '') !== '') refuse(at, CODE.conflict, 'only one of jwks or jwksUri can be set')
  if (rule.jwksUri !== undefined && rule.jwksUri !== '') checkUri(rule.jwksUri, into(at, 'jwksUri'))
  if (rule.jwks !== undefined && rule.jwks !== '') checkJwks(rule.jwks, into(at, 'jwks'))
  each(rule.fromHeaders, at, 'fromHeaders', ({ name }, place) => {
    if (name === '') refuse(into(place, 'name'), CODE.required, 'location header name must be non-empty string')
  })
  each(rule.outputClaimToHeaders, at, 'outputClaimToHeaders', ({ header, claim }, place) => {
    if (header === '' || claim === '')
      refuse(place, CODE.required, 'outputClaimToHeaders header and claim value must be non-empty string')
    else checkHeaderName(header, into(place, 'header'))
  })
  checkDuration(rule.timeout, at, 'timeout')
}

function checkUri(uri: string, at: Site): void {
  const parts = /^(https?):\/\/(\[[^\]]+\]|[^/:?#]+)(?::(\d*))?(?:[/?#]|$)/.exec(uri)
  if (parts === null) refuse(at, CODE.invalid, `"${uri}" must be a http:// or https:// URL`)
  else if (parts[3] !== undefined && parts[3] !== '' && Number(parts[3]) > 65535)
    refuse(at, CODE.port, `"${uri}" has a port beyond 65535`)
}

function checkJwks(jwks: string, at: Site): void {
  try {
    const parsed: unknown = JSON.parse(jwks)
    const set = typeof parsed === 'object' && parsed !== null ? (parsed as { keys?: unknown; kty?: unknown }) : {}
    const keys: readonly unknown[] = Array.isArray(set.keys) ? set.keys : [set]
    if (keys.some((key) => typeof key === 'object' && key !== null && 'd' in key))
      warn(at, CODE.invalid, 'jwks has a private key: write only the public parts')
    if (!Array.isArray(set.keys) && typeof set.kty !== 'string')
      refuse(at, CODE.invalid, 'jwks parse error: a JSON Web Key Set has keys')
  } catch (error) {
    refuse(at, CODE.invalid, `jwks parse error: ${error instanceof Error ? error.message : String(error)}`)
  }
}
