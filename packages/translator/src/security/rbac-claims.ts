import type { Principal } from '@heddle/xds-types/envoy/config/rbac/v3'
import type { StringMatcher, ValueMatcher } from '@heddle/xds-types/envoy/type/matcher/v3'
import { ANYTHING, jwtClaimMatcher, payloadMatcher } from './jwt-claims.js'
import { textMatcher } from './rbac-values.js'

/** `issuer/subject`, either side with a wildcard. The last slash separates: issuers are URLs. */
export function requestPrincipals(values: readonly string[]): Principal | undefined {
  const any = values.map((value) => {
    const { issuer, subject } = split(value)
    return { and_ids: { ids: [claim(['iss'], { string_match: issuer }), claim(['sub'], { string_match: subject })] } }
  })
  return any.length > 1 ? { or_ids: { ids: any } } : any[0]
}

function split(value: string): { issuer: StringMatcher; subject: StringMatcher } {
  if (value === '*') return { issuer: ANYTHING, subject: ANYTHING }
  const slash = value.lastIndexOf('/')
  if (slash >= 0) {
    const [issuer, subject] = [value.slice(0, slash), value.slice(slash + 1)]
    if (value.startsWith('*'))
      return { issuer: issuer === '*' ? ANYTHING : { suffix: issuer.slice(1) }, subject: { exact: subject } }
    if (value.endsWith('*'))
      return { issuer: { exact: issuer }, subject: subject === '*' ? ANYTHING : { prefix: subject.slice(0, -1) } }
    return { issuer: { exact: issuer }, subject: { exact: subject } }
  }
  if (value.startsWith('*')) return { issuer: ANYTHING, subject: { suffix: value.slice(1) } }
  if (value.endsWith('*')) return { issuer: { prefix: value.slice(0, -1) }, subject: ANYTHING }
  return { issuer: { exact: value }, subject: { exact: '' } }
}

/** A claim that is one of the values, or a list that has one of them. */
export function claimPrincipal(path: readonly string[], values: readonly string[]): Principal {
  const texts: ValueMatcher[] = values.map((v) => ({ string_match: textMatcher(v) }))
  const any: ValueMatcher = texts.length === 1 && texts[0] !== undefined ? texts[0] : { or_match: { value_matchers: texts } }
  return { metadata: jwtClaimMatcher(path, any) }
}

function claim(path: readonly string[], value: ValueMatcher): Principal {
  return { metadata: payloadMatcher(path, value) }
}
