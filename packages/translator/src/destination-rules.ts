import {
  type DestinationRule,
  type MeshService,
  type MeshSnapshot,
  resolveHost,
  type ServicePort,
  type TrafficPolicy,
} from '@heddle/config-model'
import { selectsProxy } from './ask.js'
import { hostSubsetOf, isWildcard } from './hosts.js'
import type { Memo } from './memo.js'
import { type ConsolidatedRule, consolidate, exportsOf, type MergedRule } from './merged-rules.js'
import type { PilotFeatures } from './pilot-features.js'
import type { ProxyDescriptor } from './proxy.js'

export interface DestinationRules {
  /** The rule that a proxy follows for a service. */
  of(service: MeshService): MergedRule | undefined
  /** The rule that shapes a workload's own listeners for a service: one for chosen workloads is for their calls only. */
  ofServed(service: MeshService): MergedRule | undefined
}

/** What the rules that a proxy follows are found by. */
export interface RulesScope {
  readonly snapshot: MeshSnapshot
  readonly proxy: ProxyDescriptor
  readonly domainSuffix: string
  readonly features: PilotFeatures
  /** Of what proxies see alike. */
  readonly found: Memo
  /** Of the mesh. */
  readonly common: Memo
}

/** Looks in the client's namespace, then the service's, then the root; the first that has a rule wins wholly. */
export function destinationRules(scope: RulesScope): DestinationRules {
  return {
    of: (service) => scope.found.of('destination rule', [service], () => chosen(scope.proxy, rulesOf(scope, service))),
    ofServed: (service) => scope.found.of('destination rule of served', [service], () => forAll(rulesOf(scope, service))),
  }
}

/** The rules that a namespace finds for a host: its own, those of another namespace that are for others, or its own that are for nobody else. */
type Index = 'own' | 'exported' | 'private'

function rulesOf(scope: RulesScope, { hostname, namespace }: MeshService): readonly ConsolidatedRule[] {
  const { namespace: client } = scope.proxy
  const { rootNamespace: root } = scope.snapshot.meshConfig
  const own = rulesIn(scope, hostname, client, client === root ? 'private' : 'own')
  if (own.length > 0) return own
  for (const owner of [namespace, root]) {
    const exported = rulesIn(scope, hostname, owner, 'exported').filter(
      ({ exportTo }) => exportTo.length === 0 || exportTo.includes('*') || exportTo.includes(client),
    )
    if (exported.length > 0) return exported
  }
  return []
}

/** One that selects the workload, which only those of its namespace can; else the last that is for all. */
function chosen(proxy: ProxyDescriptor, rules: readonly ConsolidatedRule[]): MergedRule | undefined {
  const selecting = rules.find(
    ({ selector, sources: [first] }) =>
      selector !== undefined && first?.metadata.namespace === proxy.namespace && selectsProxy(selector, proxy),
  )
  return selecting ?? forAll(rules)
}

function forAll(rules: readonly ConsolidatedRule[]): MergedRule | undefined {
  return rules.findLast(({ selector }) => selector === undefined)
}

/** Of the most specific host in an index that covers the name. */
function rulesIn(scope: RulesScope, hostname: string, namespace: string, index: Index): readonly ConsolidatedRule[] {
  const { snapshot, domainSuffix, common } = scope
  const table = common.table('destination rules', [domainSuffix], () => byHosts(snapshot, domainSuffix))
  const { defaultDestinationRuleExportTo: fallback } = snapshot.meshConfig
  const indexed = (rules: readonly DestinationRule[] | undefined): readonly DestinationRule[] =>
    (rules ?? []).filter((rule) => isIn(index, rule, fallback))
  const exact = isWildcard(hostname) ? [] : indexed(table(`${namespace} ${hostname}`))
  if (exact.length > 0) return consolidate(exact, scope.features)
  const covering = indexed(table(`${namespace} *`)).filter((rule) => hostSubsetOf(hostname, ruleHost(rule, domainSuffix)))
  const best = Math.max(0, ...covering.map((rule) => ruleHost(rule, domainSuffix).length))
  return consolidate(
    covering.filter((rule) => ruleHost(rule, domainSuffix).length === best),
    scope.features,
  )
}

/** As istiod's `setDestinationRules` has it. */
function isIn(index: Index, rule: DestinationRule, fallback: readonly string[]): boolean {
  const { namespace } = rule.metadata
  const to = exportsOf(rule)
  if (index === 'own') return to.length === 0 || ['*', '.', namespace].some((name) => to.includes(name))
  const [only] = to
  const isPrivate = to.length === 0 ? fallback.includes('.') : to.length === 1 && (only === '.' || only === namespace)
  return isPrivate === (index === 'private')
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
