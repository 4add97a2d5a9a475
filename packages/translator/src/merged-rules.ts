import type { DestinationRule, PortTrafficPolicy, Subset, TrafficPolicy } from '@heddle/config-model'
import type { PilotFeatures } from './pilot-features.js'

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

/** A merged rule and who may have it. */
export interface ConsolidatedRule extends MergedRule {
  /** As written, without doubles; of a rule for chosen workloads always its own namespace. */
  readonly exportTo: readonly string[]
  readonly selector: Readonly<Record<string, string>> | undefined
}

/**
 * Rules of one namespace and host -> what is left after merging, as istiod does (`mergeDestinationRule`): rules that are exported alike
 * merge, those for chosen workloads only with each other, and one that is exported further also stands alone.
 */
export function consolidate(
  rules: readonly DestinationRule[],
  { mergeByExport }: Pick<PilotFeatures, 'mergeByExport'>,
): readonly ConsolidatedRule[] {
  const merged: ConsolidatedRule[] = []
  for (const rule of selectingFirst(rules)) {
    const own = alone(rule)
    let separate = true
    for (const [i, known] of merged.entries()) {
      const alike = !mergeByExport || sameTexts(own.exportTo, known.exportTo)
      if (mergeByExport) separate = !alike
      if (!alike && !(known.exportTo.length > 0 && known.exportTo.every((to) => own.exportTo.includes(to)))) continue
      const bothSelect = own.selector !== undefined && known.selector !== undefined
      const sameWorkloads = bothSelect && sameLabels(own.selector, known.selector)
      if (bothSelect && !sameWorkloads) {
        separate = true
        continue
      }
      if (sameWorkloads || (own.selector === undefined && known.selector === undefined)) separate = false
      merged[i] = join(known, own)
    }
    if (separate) merged.push(own)
  }
  return merged
}

/** Where a rule is exported to; empty: as the mesh has it. */
export function exportsOf({ spec }: DestinationRule): readonly string[] {
  return selectorOf(spec) === undefined ? [...new Set(spec.exportTo ?? [])] : ['.']
}

function selectorOf({ workloadSelector }: DestinationRule['spec']): Readonly<Record<string, string>> | undefined {
  return workloadSelector === undefined ? undefined : (workloadSelector.matchLabels ?? {})
}

/** The order within both stays: oldest first. */
function selectingFirst(rules: readonly DestinationRule[]): readonly DestinationRule[] {
  const selects = ({ spec }: DestinationRule): boolean => spec.workloadSelector !== undefined
  return rules.some(selects) ? [...rules.filter(selects), ...rules.filter((rule) => !selects(rule))] : rules
}

function alone(rule: DestinationRule): ConsolidatedRule {
  const { spec } = rule
  return {
    trafficPolicy: spec.trafficPolicy,
    subsets: (spec.subsets ?? []).map((subset, i) => ({ subset, source: rule, path: `spec.subsets[${i}]` })),
    sources: [rule],
    exportTo: exportsOf(rule),
    selector: selectorOf(spec),
  }
}

function join(known: ConsolidatedRule, next: ConsolidatedRule): ConsolidatedRule {
  const names = new Set(known.subsets.map(({ subset }) => subset.name))
  return {
    ...known,
    trafficPolicy: joinPolicies(known, next),
    subsets: [...known.subsets, ...next.subsets.filter(({ subset }) => !names.has(subset.name))],
    sources: [...known.sources, ...next.sources],
  }
}

/** The older one's; of one that a user wrote and one made from a policy of the Gateway API the user's, with the other in its gaps. */
function joinPolicies(known: ConsolidatedRule, next: ConsolidatedRule): TrafficPolicy | undefined {
  const [made, nextMade] = [isMade(known), isMade(next)]
  if (made === nextMade) return known.trafficPolicy ?? next.trafficPolicy
  return made ? overlay(next.trafficPolicy, known.trafficPolicy) : overlay(known.trafficPolicy, next.trafficPolicy)
}

function isMade({ sources: [first] }: ConsolidatedRule): boolean {
  return first?.metadata.annotations['internal.istio.io/parents'] !== undefined
}

function overlay(user: TrafficPolicy | undefined, made: TrafficPolicy | undefined): TrafficPolicy | undefined {
  if (user === undefined || made === undefined) return user ?? made
  const ports = overlayPorts(user.portLevelSettings ?? [], made.portLevelSettings ?? [])
  return { ...made, ...user, ...(ports.length === 0 ? {} : { portLevelSettings: ports }) }
}

function overlayPorts(user: readonly PortTrafficPolicy[], made: readonly PortTrafficPolicy[]): readonly PortTrafficPolicy[] {
  const of = (list: readonly PortTrafficPolicy[], port: number): PortTrafficPolicy | undefined =>
    list.find((p) => p.port.number === port)
  return [
    ...user.map((own) => ({ ...of(made, own.port.number), ...own })),
    ...made.filter(({ port }) => of(user, port.number) === undefined),
  ]
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text) => b.includes(text))
}

function sameLabels(a: ConsolidatedRule['selector'], b: ConsolidatedRule['selector']): boolean {
  const [x, y] = [Object.entries(a ?? {}), b ?? {}]
  return x.length === Object.keys(y).length && x.every(([key, value]) => y[key] === value)
}
