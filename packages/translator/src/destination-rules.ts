import {
  type DestinationRule,
  exportedTo,
  type MeshService,
  type MeshSnapshot,
  resolveHost,
  type ServicePort,
  type Subset,
  type TrafficPolicy,
} from '@heddle/config-model'
import { selectsProxy } from './ask.js'
import { hostSubsetOf, isWildcard } from './hosts.js'
import type { Memo } from './memo.js'
import type { ProxyDescriptor } from './proxy.js'
import { isEmpty } from './selection.js'

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

/** What the rules that a proxy follows are found by. */
export interface RulesScope {
  readonly snapshot: MeshSnapshot
  readonly proxy: ProxyDescriptor
  readonly domainSuffix: string
  /** Of what proxies see alike. */
  readonly found: Memo
  /** Of the mesh. */
  readonly common: Memo
}

/** Looks in the client's namespace, then the service's, then the root; the first that has a rule wins wholly. */
export function destinationRules(scope: RulesScope): DestinationRules {
  return { of: (service) => scope.found.of('destination rule', [service], () => ruleOf(scope, service)) }
}

function ruleOf(scope: RulesScope, service: MeshService): MergedRule | undefined {
  const { namespace: client } = scope.proxy
  const root = scope.snapshot.meshConfig.rootNamespace
  for (const namespace of client === root ? [service.namespace, root] : [client, service.namespace, root]) {
    const found = merge(mostSpecificRules(scope, service.hostname, namespace))
    if (found !== undefined) return found
  }
  return undefined
}

function mostSpecificRules(scope: RulesScope, hostname: string, namespace: string): readonly DestinationRule[] {
  const { snapshot, proxy, domainSuffix, common } = scope
  const { defaultDestinationRuleExportTo } = snapshot.meshConfig
  const table = common.table('destination rules', [domainSuffix], () => byHosts(snapshot, domainSuffix))
  const applies = ({ spec, metadata }: DestinationRule): boolean => {
    const selector = spec.workloadSelector?.matchLabels
    if (!isEmpty(selector) && (metadata.namespace !== proxy.namespace || !selectsProxy(selector, proxy))) return false
    return exportedTo(spec.exportTo, defaultDestinationRuleExportTo, namespace, proxy.namespace)
  }
  const exact = (table(`${namespace} ${hostname}`) ?? []).filter(applies)
  if (exact.length > 0) return exact
  const covering = (table(`${namespace} *`) ?? []).filter((r) => hostSubsetOf(hostname, ruleHost(r, domainSuffix)) && applies(r))
  const best = Math.max(0, ...covering.map((r) => r.spec.host.length))
  return covering.filter((r) => r.spec.host.length === best)
}

/** By `namespace host`; all of a namespace that have a wildcard by `namespace *`. */
function byHosts(snapshot: MeshSnapshot, domainSuffix: string): ReadonlyMap<string, readonly DestinationRule[]> {
  const found = new Map<string, DestinationRule[]>()
  for (const rule of snapshot.list('DestinationRule')) {
    const host = ruleHost(rule, domainSuffix)
    const key = `${rule.metadata.namespace} ${isWildcard(host) ? '*' : host}`
    const known = found.get(key)
    if (known === undefined) found.set(key, [rule])
    else known.push(rule)
  }
  return found
}

function ruleHost(rule: DestinationRule, domainSuffix: string): string {
  return resolveHost(rule.spec.host, rule.metadata.namespace, domainSuffix)
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
  return settings
}

/** What a subset says goes over the destination's, group by group; within a group nothing is mixed. */
export function policyOfSubset(
  base: TrafficPolicy | undefined,
  subset: TrafficPolicy | undefined,
  port: ServicePort,
): TrafficPolicy | undefined {
  const inherited = policyForPort(base, port)
  if (subset === undefined) return inherited
  const own = policyForPort(subset, port)
  if (!subset.portLevelSettings?.some((p) => p.port.number === port.number)) return { ...inherited, ...own }
  const { tunnel, proxyProtocol, retryBudget } = inherited ?? {}
  return { ...keep({ tunnel, proxyProtocol, retryBudget }), ...own }
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
