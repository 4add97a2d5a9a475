/** Host names and their wildcards, as Istio compares them (istio/pkg/config/host). Names are lower case. */

const STAR = 42

export function isWildcard(host: string): boolean {
  return host.charCodeAt(0) === STAR
}

/** Whether the two have a name in common: `*.a.b` and `x.a.b`, `*.b` and `*.a.b`, or equal names. */
export function hostsOverlap(one: string, other: string): boolean {
  const oneWild = isWildcard(one)
  const otherWild = isWildcard(other)
  if (oneWild && otherWild) {
    const [a, b] = [one.slice(1), other.slice(1)]
    return a.length < b.length ? b.endsWith(a) : a.endsWith(b)
  }
  if (oneWild) return other.endsWith(one.slice(1))
  if (otherWild) return one.endsWith(other.slice(1))
  return one === other
}

/** Whether every name of `specific` is also one of `general`. */
export function hostSubsetOf(specific: string, general: string): boolean {
  if (isWildcard(specific) && !isWildcard(general)) return false
  if (!isWildcard(general)) return specific === general
  const suffix = general.slice(1)
  const name = isWildcard(specific) ? specific.slice(1) : specific
  return name.length >= suffix.length && name.endsWith(suffix)
}

/** The more specific of each overlapping pair: what is served when a server has `servers` and a VirtualService has `wanted`. Order of first find. */
export function intersectHosts(servers: readonly string[], wanted: readonly string[]): string[] {
  const found: string[] = []
  for (const server of servers) {
    for (const host of wanted) {
      const served = hostSubsetOf(host, server) ? host : hostSubsetOf(server, host) ? server : undefined
      if (served !== undefined && !found.includes(served)) found.push(served)
    }
  }
  return found
}

/** Most specific first: exact names before wildcards, longer before shorter, `*` last. */
export function bySpecificity(a: string, b: string): number {
  const aWild = isWildcard(a)
  const bWild = isWildcard(b)
  if (aWild !== bWild) return aWild ? 1 : -1
  if (a.length !== b.length) return b.length - a.length
  return a < b ? -1 : a > b ? 1 : 0
}

/** The key of `index` that covers `host` best, undefined when none does. */
export function mostSpecific<T>(host: string, index: ReadonlyMap<string, T>): T | undefined {
  const exact = index.get(host)
  if (exact !== undefined) return exact
  let best: string | undefined
  for (const candidate of index.keys()) {
    if (isWildcard(candidate) && hostSubsetOf(host, candidate) && (best === undefined || candidate.length > best.length))
      best = candidate
  }
  return best === undefined ? undefined : index.get(best)
}

/**
 * The other names by which a proxy may call a Kubernetes service: `name` (same namespace only), `name.ns`, `name.ns.svc`.
 * `proxyDomain` is the proxy's DNS suffix, `ns.svc.cluster.local`; services outside its cluster domain get none.
 */
export function shortNames(host: string, proxyDomain: string): string[] {
  const marker = proxyDomain.indexOf('.svc.')
  const at = host.indexOf('.svc.')
  if (marker < 0 || at <= 0 || !host.endsWith(proxyDomain.slice(marker))) return []
  const dot = host.indexOf('.')
  if (dot >= at) return []
  const withNamespace = host.slice(0, at)
  return host.slice(dot + 1, at) === proxyDomain.slice(0, marker)
    ? [host.slice(0, dot), `${withNamespace}.svc`, withNamespace]
    : [withNamespace, `${withNamespace}.svc`]
}
