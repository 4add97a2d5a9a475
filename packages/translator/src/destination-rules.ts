import {
  type DestinationRule,
  type MeshService,
  type MeshSnapshot,
  type ServicePort,
  type Subset,
  selects,
  type TrafficPolicy,
} from '@heddle/config-model'
import { hostSubsetOf, isWildcard, resolveHost } from './hosts.js'
import type { ProxyDescriptor } from './proxy.js'
import { isEmpty, visible } from './selection.js'

/** DestinationRules of one host, merged: the policy of the oldest, the subsets of all. */
export interface MergedRule {
  readonly trafficPolicy: TrafficPolicy | undefined
  readonly subsets: readonly MergedSubset[]
  /** The first is the oldest: its name stands in cluster metadata. */
  readonly sources: readonly DestinationRule[]
}

export interface MergedSubset {
  readonly subset: Subset
  readonly source: DestinationRule
  /** `spec.subsets[1]`. */
  readonly path: string
}

export interface DestinationRules {
  /** The rule that a proxy follows for a service. */
  of(service: MeshService): MergedRule | undefined
}

/** Looks in the client's namespace, then the service's, then the root; the first that has a rule wins wholly. */
export function destinationRules(snapshot: MeshSnapshot, proxy: ProxyDescriptor, domainSuffix: string): DestinationRules {
  const { rootNamespace, defaultDestinationRuleExportTo } = snapshot.meshConfig
  const all = snapshot
    .list('DestinationRule')
    .filter(
      (r) =>
        isEmpty(r.spec.workloadSelector?.matchLabels) ||
        (r.metadata.namespace === proxy.namespace && selects(r.spec.workloadSelector?.matchLabels, proxy.labels)),
    )
  const of = (namespace: string, local: boolean): DestinationRule[] =>
    all.filter(
      (r) =>
        r.metadata.namespace === namespace &&
        (local || visible(r.spec.exportTo, defaultDestinationRuleExportTo, namespace, proxy.namespace)),
    )
  const perNamespace = new Map<string, DestinationRule[]>()
  const cached = (namespace: string, local: boolean): DestinationRule[] => {
    const known = perNamespace.get(namespace)
    if (known !== undefined) return known
    const fresh = of(namespace, local)
    perNamespace.set(namespace, fresh)
    return fresh
  }
  const memo = new Map<string, MergedRule | undefined>()
  return {
    of(service) {
      const key = `${service.namespace}/${service.hostname}`
      if (memo.has(key)) return memo.get(key)
      const namespaces =
        proxy.namespace === rootNamespace
          ? [service.namespace, rootNamespace]
          : [proxy.namespace, service.namespace, rootNamespace]
      let found: MergedRule | undefined
      for (const namespace of namespaces) {
        found = merge(mostSpecificRules(service.hostname, cached(namespace, namespace === proxy.namespace), domainSuffix))
        if (found !== undefined) break
      }
      memo.set(key, found)
      return found
    },
  }
}

function ruleHost(rule: DestinationRule, domainSuffix: string): string {
  return resolveHost(rule.spec.host, rule.metadata.namespace, domainSuffix)
}

function mostSpecificRules(hostname: string, rules: readonly DestinationRule[], domainSuffix: string): DestinationRule[] {
  let best = ''
  for (const rule of rules) {
    const host = ruleHost(rule, domainSuffix)
    if (host === hostname) {
      best = host
      break
    }
    if (isWildcard(host) && hostSubsetOf(hostname, host) && host.length > best.length) best = host
  }
  return best === '' ? [] : rules.filter((r) => ruleHost(r, domainSuffix) === best)
}

/** A rule for chosen workloads stands alone; rules merge with the oldest when they are exported alike; one exported to named namespaces hides the others. */
function merge(rules: readonly DestinationRule[]): MergedRule | undefined {
  const selecting = rules.find((r) => !isEmpty(r.spec.workloadSelector?.matchLabels))
  const named = rules.find((r) => exportKey(r) !== '*' && exportKey(r) !== '')
  const first = selecting ?? named ?? rules[0]
  if (first === undefined) return undefined
  const sources = selecting !== undefined ? [first] : rules.filter((r) => exportKey(r) === exportKey(first))
  const subsets = new Map<string, MergedSubset>()
  for (const source of sources) {
    for (const [i, subset] of (source.spec.subsets ?? []).entries()) {
      if (!subsets.has(subset.name)) subsets.set(subset.name, { subset, source, path: `spec.subsets[${i}]` })
    }
  }
  return {
    trafficPolicy: sources.find((r) => r.spec.trafficPolicy !== undefined)?.spec.trafficPolicy,
    subsets: [...subsets.values()],
    sources,
  }
}

function exportKey(rule: DestinationRule): string {
  const key = [...(rule.spec.exportTo ?? [])].sort().join(',')
  return key === '' ? '*' : key
}

/** The policy of a port: a port's own settings replace the destination's, also those that they do not name. */
export function policyForPort(policy: TrafficPolicy | undefined, port: ServicePort): TrafficPolicy | undefined {
  if (policy === undefined) return undefined
  const level = policy.portLevelSettings?.find((p) => p.port.number === port.number)
  if (level === undefined) return withoutPorts(policy)
  const { port: _, ...settings } = level
  return { ...settings, ...keep({ tunnel: policy.tunnel, proxyProtocol: policy.proxyProtocol, retryBudget: policy.retryBudget }) }
}

/** What a subset says goes over the destination's, group by group; within a group nothing is mixed. */
export function policyOfSubset(
  base: TrafficPolicy | undefined,
  subset: TrafficPolicy | undefined,
  port: ServicePort,
): TrafficPolicy | undefined {
  const inherited = policyForPort(base, port)
  if (subset === undefined) return inherited
  const level = subset.portLevelSettings?.find((p) => p.port.number === port.number)
  if (level !== undefined)
    return policyForPort(
      {
        ...keep({ tunnel: inherited?.tunnel, proxyProtocol: inherited?.proxyProtocol, retryBudget: inherited?.retryBudget }),
        ...subset,
      },
      port,
    )
  return { ...inherited, ...policyForPort(subset, port) }
}

function withoutPorts(policy: TrafficPolicy): TrafficPolicy {
  const { portLevelSettings: _, ...rest } = policy
  return rest
}

function keep<T extends object>(fields: T): Partial<{ [K in keyof T]: NonNullable<T[K]> }> {
  return Object.fromEntries(Object.entries(fields).filter(([, v]) => v !== undefined)) as Partial<{
    [K in keyof T]: NonNullable<T[K]>
  }>
}
