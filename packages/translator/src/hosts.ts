import { hostSubsetOf, isWildcard } from '@heddle/config-model'

/** Host names and their wildcards: what of them only translation asks. */

export { bySpecificity, hostSubsetOf, hostsOverlap, isWildcard } from '@heddle/config-model'

/** The more specific of each overlapping pair: what is served when a server has `servers` and a VirtualService has `wanted`. Order of first find. */
export function intersectHosts(servers: readonly string[], wanted: readonly string[]): readonly string[] {
  // Most VirtualServices name all hosts of their server.
  if (servers.length === wanted.length && servers.every((host, i) => host === wanted[i] && isOneOnce(host, servers)))
    return servers
  const found: string[] = []
  for (const server of servers) {
    for (const host of wanted) {
      const served = hostSubsetOf(host, server) ? host : hostSubsetOf(server, host) ? server : undefined
      if (served !== undefined && !found.includes(served)) found.push(served)
    }
  }
  return found
}

function isOneOnce(host: string, hosts: readonly string[]): boolean {
  return !isWildcard(host) && hosts.indexOf(host) === hosts.lastIndexOf(host)
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
