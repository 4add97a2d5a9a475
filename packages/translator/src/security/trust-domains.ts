import type { StringMatcher } from '@heddle/xds-types/envoy/type/matcher/v3'
import { quoteMeta } from './rbac-values.js'

/**
 * A principal of one of the mesh's trust domains (its own and its aliases), or of `cluster.local`, which stands for it, in each of them: whoever moves from
 * one domain to another stays who he is. Where its domain is a suffix (`*old/ns/…`), the domains that it matches are left to it.
 */
export function inTrustDomains(principal: string, trustDomains: readonly string[]): string[] {
  const parts = principal.split('/')
  const [domain = '', ...rest] = parts
  if (parts.length !== 5 || domain === '*' || !isOfMesh(domain, trustDomains)) return [principal]
  return [...new Set(trustDomains.map((own) => (endsAs(own, domain) ? principal : [own, ...rest].join('/'))))]
}

/** The domains of field `trustDomains`: one of the mesh's stands for all of them. */
export function withAliases(domains: readonly string[], trustDomains: readonly string[]): string[] {
  return [...new Set(domains.flatMap((domain) => (trustDomains.includes(domain) ? trustDomains : [domain])))]
}

/** A certificate of that domain; `*` stands for anything within its name. */
export function trustDomainMatcher(domain: string): StringMatcher {
  if (!domain.includes('*')) return { prefix: `spiffe://${domain}/` }
  return { safe_regex: { regex: `spiffe://${quoteMeta(domain).replaceAll('\\*', '[^/]*')}/.*` } }
}

/** Either side may be a pattern. */
function isOfMesh(domain: string, trustDomains: readonly string[]): boolean {
  if (domain === 'cluster.local') return true
  return trustDomains.some(
    (own) =>
      own === domain ||
      own === '*' ||
      endsAs(own, domain) ||
      endsAs(domain, own) ||
      startsAs(own, domain) ||
      startsAs(domain, own),
  )
}

function endsAs(text: string, pattern: string): boolean {
  return pattern.startsWith('*') && text.endsWith(pattern.slice(1))
}

function startsAs(text: string, pattern: string): boolean {
  return pattern.endsWith('*') && text.startsWith(pattern.slice(0, -1))
}
