import type { CidrRange } from '@heddle/xds-types/envoy/config/core/v3'
import type { HeaderMatcher } from '@heddle/xds-types/envoy/config/route/v3'
import type { StringMatcher } from '@heddle/xds-types/envoy/type/matcher/v3'

/** How the values of AuthorizationPolicy are compared: `*`, `*suffix`, `prefix*`, exact. */

const ANYTHING: StringMatcher = { safe_regex: { regex: '.+' } }

export function textMatcher(value: string, ignoreCase = false): StringMatcher {
  if (value === '*') return ANYTHING
  const more = ignoreCase ? { ignore_case: true } : {}
  if (value.startsWith('*')) return { suffix: value.slice(1), ...more }
  if (value.endsWith('*')) return { prefix: value.slice(0, -1), ...more }
  return { exact: value, ...more }
}

/** A principal is written without its scheme. A suffix becomes a regex, for Envoy's matcher sees the whole URI. */
export function principalMatcher(value: string): StringMatcher {
  if (value === '*') return ANYTHING
  if (value.startsWith('*')) return { safe_regex: { regex: `spiffe://.*${quoteMeta(value.slice(1))}` } }
  return value.endsWith('*') ? { prefix: `spiffe://${value.slice(0, -1)}` } : { exact: `spiffe://${value}` }
}

export function namespaceMatcher(value: string): StringMatcher {
  return { safe_regex: { regex: `.*/ns/${quoteMeta(value).replaceAll('\\*', '.*')}/.*` } }
}

/** `name` of the policy's namespace, or `namespace/name`. */
export function serviceAccountMatcher(value: string, policyNamespace: string): StringMatcher {
  const slash = value.indexOf('/')
  const [namespace, name] = slash < 0 ? [policyNamespace, value] : [value.slice(0, slash), value.slice(slash + 1)]
  return { safe_regex: { regex: `spiffe://.+/ns/${quoteMeta(namespace)}/(.+/|)sa/${quoteMeta(name)}(/.+)?` } }
}

export function headerMatcher(name: string, value: string, ignoreCase = false): HeaderMatcher {
  return value === '*' ? { name, present_match: true } : { name, string_match: textMatcher(value, ignoreCase) }
}

/** `10.0.0.0/8`, or an address as a range of one; undefined when it is neither. */
export function cidr(value: string): CidrRange | undefined {
  const [address = '', length] = value.split('/')
  const bits = address.includes(':') ? 128 : /^\d+\.\d+\.\d+\.\d+$/.test(address) ? 32 : undefined
  const size = length === undefined ? bits : Number(length)
  if (bits === undefined || size === undefined || !Number.isInteger(size) || size < 0 || size > bits) return undefined
  return { address_prefix: address, prefix_len: size }
}

// What Go's regexp.QuoteMeta escapes.
export function quoteMeta(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&')
}
