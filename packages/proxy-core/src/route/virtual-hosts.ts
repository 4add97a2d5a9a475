import { asciiLower } from '../matcher/ascii.js'
import type { CompiledVirtualHost } from './table.js'

/** Finds the virtual host of a Host header. */
export interface VirtualHostIndex {
  of(authority: string): CompiledVirtualHost | undefined
  losers(authority: string): readonly { readonly virtualHost: CompiledVirtualHost; readonly reason: string }[]
  /** Domains that two virtual hosts claim: Envoy refuses such a table. */
  readonly duplicates: readonly string[]
}

/** Envoy's order: the exact domain, the longest `*suffix`, the longest `prefix*`, `*`; without case (CVE-2021-39155). */
export function indexVirtualHosts(virtualHosts: readonly CompiledVirtualHost[], ignorePort: boolean): VirtualHostIndex {
  const exact = new Map<string, CompiledVirtualHost>()
  const suffixes = new Map<string, CompiledVirtualHost>()
  const prefixes = new Map<string, CompiledVirtualHost>()
  const duplicates: string[] = []
  for (const virtualHost of virtualHosts) {
    for (const written of virtualHost.domains) {
      const domain = asciiLower(written)
      const [map, key] =
        domain.startsWith('*') && domain !== '*'
          ? [suffixes, domain.slice(1)]
          : domain.endsWith('*') && domain !== '*'
            ? [prefixes, domain.slice(0, -1)]
            : [exact, domain]
      if (map.has(key)) duplicates.push(written)
      else map.set(key, virtualHost)
    }
  }
  const [suffixLengths, prefixLengths] = [lengths(suffixes), lengths(prefixes)]
  const anything = exact.get('*')
  exact.delete('*')
  const hasNames = exact.size + suffixes.size + prefixes.size > 0
  const seen = (authority: string): string => asciiLower(ignorePort ? withoutPort(authority) : authority)
  const index: VirtualHostIndex = {
    duplicates,
    losers(authority) {
      const winner = index.of(authority)
      const others = virtualHosts.filter((virtualHost) => virtualHost !== winner)
      return others.map((virtualHost) => ({ virtualHost, reason: lossReason(virtualHost, seen(authority)) }))
    },
    of(authority) {
      if (!hasNames) return anything
      const host = seen(authority)
      const found = exact.get(host)
      if (found !== undefined) return found
      // A wildcard stands for at least one character.
      for (const length of suffixLengths) {
        const wildcard = length < host.length ? suffixes.get(host.slice(-length)) : undefined
        if (wildcard !== undefined) return wildcard
      }
      for (const length of prefixLengths) {
        const wildcard = length < host.length ? prefixes.get(host.slice(0, length)) : undefined
        if (wildcard !== undefined) return wildcard
      }
      return anything
    },
  }
  return index
}

function lossReason({ domains }: CompiledVirtualHost, host: string): string {
  const fitting = domains.find((domain) => domainFits(asciiLower(domain), host))
  if (fitting !== undefined) return `its domain ${fitting} is less specific than the winner's`
  const shown = domains.slice(0, 3).join(', ')
  return `none of its domains is ${host}: ${shown}${domains.length > 3 ? ` and ${domains.length - 3} more` : ''}`
}

function domainFits(domain: string, host: string): boolean {
  if (domain === '*' || domain === host) return true
  if (host.length < domain.length) return false
  return domain.startsWith('*') ? host.endsWith(domain.slice(1)) : domain.endsWith('*') && host.startsWith(domain.slice(0, -1))
}

function lengths(map: ReadonlyMap<string, unknown>): readonly number[] {
  return [...new Set([...map.keys()].map((key) => key.length))].sort((a, b) => b - a)
}

/** The host of `host:port` or `[v6]:port`, were the port no number; anything else comes back as it is. */
export function withoutPort(authority: string): string {
  const colon = authority.lastIndexOf(':')
  if (colon < 0 || authority.indexOf(']') > colon) return authority
  // A bare IPv6 address has no port to strip.
  if (!authority.startsWith('[') && authority.indexOf(':') !== colon) return authority
  return authority.slice(0, colon)
}
