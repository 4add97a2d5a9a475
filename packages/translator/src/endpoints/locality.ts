import type { LocalityLbEndpoints } from '@heddle/xds-types/envoy/config/endpoint/v3'
import type { Locality } from '../proxy.js'

/** Locality load balancing: which endpoints come first for a proxy in a place. */

type Failover = readonly { readonly from: string; readonly to: string }[]
type Groups = readonly LocalityLbEndpoints[]

/** 0: same subzone, 1: same zone, 2: same region, 3: the region that `failover` names, 4: the rest; then numbered without gaps. */
export function failoverPriorities(groups: Groups, proxy: Locality, failover: Failover): LocalityLbEndpoints[] {
  const target = targetOf(proxy, failover)
  return byRank(
    groups,
    groups.map((g) => rank(g, proxy, target)),
  )
}

/** The own region, the one that `failover` names, the rest: within a region Envoy itself balances the zones. */
export function regionPriorities(groups: Groups, proxy: Locality, failover: Failover): LocalityLbEndpoints[] {
  const target = targetOf(proxy, failover)
  return byRank(
    groups,
    groups.map(({ locality }) => (locality?.region === proxy.region ? 0 : locality?.region === target ? 1 : 2)),
  )
}

function targetOf({ region }: Locality, failover: Failover): string | undefined {
  return failover.find(({ from }) => from === region)?.to
}

/** Ranks become priorities without gaps. */
export function byRank(groups: Groups, ranks: readonly number[]): LocalityLbEndpoints[] {
  const used = [...new Set(ranks)].sort((a, b) => a - b)
  return groups.flatMap((group, i) => {
    const priority = used.indexOf(ranks[i] ?? 0)
    return group.lb_endpoints === undefined ? [] : [priority === 0 ? group : { ...group, priority }]
  })
}

type Labels = Readonly<Record<string, string>>

/** The labels that say where a workload is, beside its own. */
export function placedLabels(labels: Labels, locality: Locality, cluster: string, network: string, nodeName = ''): Labels {
  return {
    ...labels,
    'topology.kubernetes.io/region': locality.region,
    'topology.kubernetes.io/zone': locality.zone,
    'topology.istio.io/subzone': locality.subzone,
    'topology.istio.io/cluster': cluster,
    'topology.istio.io/network': network,
    'kubernetes.io/hostname': nodeName,
  }
}

/** How many of the ordered labels, `name` or `name=value`, are left when the first differs: 0 is the nearest. */
export function labelRank(ordered: readonly string[], proxy: Labels, endpoint: Labels): number {
  let beyond = 0
  for (const [i, label] of ordered.entries()) {
    const [name = '', value] = label.split('=')
    if ((value ?? proxy[name] ?? '') === (endpoint[name] ?? '')) continue
    // Another network alone is no reason to stop comparing: all of its endpoints come behind those of the own.
    if (i > 0 || label !== 'topology.istio.io/network') return beyond + ordered.length - i
    beyond = ordered.length
  }
  return beyond
}

function rank(group: LocalityLbEndpoints, proxy: Locality, target: string | undefined): number {
  const { region = '', zone = '', sub_zone = '' } = group.locality ?? {}
  if (region !== proxy.region) return region === target ? 3 : 4
  if (zone !== proxy.zone) return 2
  return sub_zone === proxy.subzone ? 0 : 1
}

/** Weights by locality: localities that the rule names share its percentages, those it does not name stay in the list with no endpoints. */
export function distribute(
  groups: readonly LocalityLbEndpoints[],
  proxy: Locality,
  rules: readonly { readonly from: string; readonly to: Readonly<Record<string, number>> }[],
): LocalityLbEndpoints[] {
  const rule = rules.find((r) => localityMatches(proxy.region, proxy.zone, proxy.subzone, r.from))
  if (rule === undefined) return [...groups]
  const out = groups.map((g) => ({ ...g }))
  const taken = new Set<number>()
  for (const [to, share] of Object.entries(rule.to).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const named = out
      .map((g, i) => ({ g, i }))
      .filter(
        ({ g, i }) =>
          !taken.has(i) && localityMatches(g.locality?.region ?? '', g.locality?.zone ?? '', g.locality?.sub_zone ?? '', to),
      )
    const total = named.reduce((sum, { g }) => sum + (g.load_balancing_weight ?? 0), 0)
    for (const { g, i } of named) {
      taken.add(i)
      g.load_balancing_weight = Math.ceil(((g.load_balancing_weight ?? 0) * share) / total)
    }
  }
  for (const [i, g] of out.entries()) if (!taken.has(i)) delete g.lb_endpoints
  return out
}

/** `region/zone/*` and the like; a missing part matches everything. */
function localityMatches(region: string, zone: string, subzone: string, pattern: string): boolean {
  const [r = '', z = '', s = ''] = pattern.split('/')
  const part = (wanted: string, has: string): boolean => wanted === '' || wanted === '*' || wanted === has
  return part(r, region) && (r === '*' || (part(z, zone) && (z === '*' || part(s, subzone))))
}
