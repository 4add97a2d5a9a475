import { type EffectiveVirtualService, mergedRules } from '@heddle/config-model'

/**
 * VirtualServices of one host as one (option `sidecarHosts: 'merge'` of a store; istio/istio#22997): under the name of the oldest, with the HTTP rules of
 * all. What they say of TLS and TCP does not merge: there the oldest counts. `all` is sorted by age.
 */
export function mergedHosts(all: readonly EffectiveVirtualService[]): readonly EffectiveVirtualService[] {
  const byHost = new Map<string, EffectiveVirtualService[]>()
  for (const vs of all) for (const host of new Set(vs.hosts)) byHost.set(host, [...(byHost.get(host) ?? []), vs])
  const shared = (host: string): boolean => (byHost.get(host)?.length ?? 0) > 1
  if (![...byHost.keys()].some(shared)) return all
  return all.flatMap((vs) => {
    const own = vs.hosts.filter((host) => !shared(host))
    const led = [...new Set(vs.hosts)].filter((host) => shared(host) && byHost.get(host)![0] === vs)
    const merged = led.map((host) => ({ ...vs, hosts: [host], http: mergedRules(byHost.get(host)!) }))
    if (own.length === 0) return merged
    return [own.length === vs.hosts.length ? vs : { ...vs, hosts: own }, ...merged]
  })
}
