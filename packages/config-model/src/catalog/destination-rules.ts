import { type Collection, derive, index } from '@heddle/runtime'
import { oldestFirst } from '../age.js'
import type { DestinationRule, Subset } from '../kinds/destination-rule.js'
import type { TrafficPolicy } from '../kinds/traffic-policy.js'
import { hostSubsetOf, resolveHost } from '../names/host.js'
import { exportedTo } from './visibility.js'

/** DestinationRules of one namespace and host that became one: the policy of the oldest that has one, the subsets of all, of one name the oldest. */
export interface MergedDestinationRule {
  readonly host: string
  readonly namespace: string
  readonly trafficPolicy?: TrafficPolicy
  readonly subsets: readonly MergedSubset[]
  /** The same for all that are merged; empty: what the mesh config says. */
  readonly exportTo: readonly string[]
  /** Set for a rule of chosen workloads, which merges with no other. */
  readonly workloads?: Readonly<Record<string, string>>
  /** The oldest first. */
  readonly sources: readonly DestinationRule[]
}

export interface MergedSubset {
  readonly subset: Subset
  readonly source: DestinationRule
  /** `spec.subsets[1]`. */
  readonly path: string
}

export interface DestinationRuleHosts {
  readonly namespace: string
  readonly host: string
  readonly rules: readonly MergedDestinationRule[]
}

/** By `namespace/host`: rules for chosen workloads, then those that are exported to named namespaces, then the others; Istio takes the first that fits. */
export function deriveDestinationRules(
  sources: Collection<DestinationRule>,
  domainSuffix: string,
): Collection<DestinationRuleHosts> {
  const byHost = index(
    sources,
    ({ metadata, spec }) => `${metadata.namespace}/${resolveHost(spec.host, metadata.namespace, domainSuffix)}`,
    { name: 'catalog.destination-rules.by-host' },
  )
  return derive(
    byHost,
    (group, _read, key): DestinationRuleHosts => {
      const slash = key.indexOf('/')
      const [namespace, host] = [key.slice(0, slash), key.slice(slash + 1)]
      return { namespace, host, rules: merged(oldestFirst(group), namespace, host) }
    },
    { name: 'catalog.destination-rules' },
  )
}

// Only rules that are exported alike merge (pilot/pkg/model: mergeDestinationRule).
function merged(rules: readonly DestinationRule[], namespace: string, host: string): readonly MergedDestinationRule[] {
  const groups = new Map<string, DestinationRule[]>()
  for (const rule of rules) {
    const selector = rule.spec.workloadSelector?.matchLabels ?? {}
    const exportTo = [...(rule.spec.exportTo ?? [])].sort()
    const own = Object.keys(selector).length > 0
    const key = own ? `0 ${rule.metadata.name}` : exportTo.length === 0 || exportTo.includes('*') ? '2' : `1 ${exportTo}`
    groups.set(key, [...(groups.get(key) ?? []), rule])
  }
  const ordered = [...groups].sort(([a], [b]) => Number(a[0]) - Number(b[0]))
  return ordered.map(([key, sources]) => merge(sources, namespace, host, key.startsWith('0')))
}

function merge(sources: readonly DestinationRule[], namespace: string, host: string, selects: boolean): MergedDestinationRule {
  const subsets = new Map<string, MergedSubset>()
  for (const source of sources)
    for (const [i, subset] of (source.spec.subsets ?? []).entries())
      if (!subsets.has(subset.name)) subsets.set(subset.name, { subset, source, path: `spec.subsets[${i}]` })
  const trafficPolicy = sources.find(({ spec }) => spec.trafficPolicy !== undefined)?.spec.trafficPolicy
  const [first] = sources
  const workloads = selects ? first?.spec.workloadSelector?.matchLabels : undefined
  return {
    host,
    namespace,
    ...(trafficPolicy === undefined ? {} : { trafficPolicy }),
    subsets: [...subsets.values()],
    exportTo: first?.spec.exportTo ?? [],
    ...(workloads === undefined ? {} : { workloads }),
    sources,
  }
}

/** Who asks for a rule, and for what. */
export interface RuleQuestion {
  readonly hostname: string
  /** Of the service, and of the proxy that calls it. */
  readonly serviceNamespace: string
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly rootNamespace: string
  /** MeshConfig.defaultDestinationRuleExportTo. */
  readonly fallback: readonly string[]
}

/**
 * The rule that a proxy follows for a service: the proxy's namespace before the service's before the root's, and the first that has one wins wholly,
 * nothing is inherited from the others; in a namespace the most specific host.
 * @param rulesOf the entries of the collection that are of a namespace
 */
export function ruleFor(
  question: RuleQuestion,
  rulesOf: (namespace: string) => readonly DestinationRuleHosts[],
): MergedDestinationRule | undefined {
  const { namespace, serviceNamespace, rootNamespace, hostname } = question
  const places = [...(namespace === rootNamespace ? [] : [namespace]), serviceNamespace, rootNamespace]
  for (const place of places) {
    const fitting = rulesOf(place)
      .filter(({ host }) => hostSubsetOf(hostname, host))
      .sort((a, b) => Number(a.host.startsWith('*')) - Number(b.host.startsWith('*')) || b.host.length - a.host.length)
    for (const { rules } of fitting) {
      const rule = rules.find((one) => follows(one, question))
      if (rule !== undefined) return rule
    }
  }
  return undefined
}

function follows(rule: MergedDestinationRule, { namespace, labels, fallback }: RuleQuestion): boolean {
  const { workloads } = rule
  if (workloads !== undefined)
    return rule.namespace === namespace && Object.entries(workloads).every(([key, value]) => labels[key] === value)
  return rule.namespace === namespace || exportedTo(rule.exportTo, fallback, rule.namespace, namespace)
}
