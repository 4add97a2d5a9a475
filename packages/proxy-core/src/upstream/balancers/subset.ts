import type { Endpoint, EndpointSet, LocalityWeight } from '../endpoint.js'
import type { LoadBalancerDeps, PickContext, Picker } from '../load-balancer.js'

type Values = Readonly<Record<string, unknown>>
export type SubsetFallback = 'NO_FALLBACK' | 'ANY_ENDPOINT' | 'DEFAULT_SUBSET'

export interface SubsetSelector {
  readonly keys: readonly string[]
  readonly singleHost: boolean
  /** Undefined: as the whole says. */
  readonly fallback: SubsetFallback | 'KEYS_SUBSET' | undefined
  readonly fallbackKeys: readonly string[]
}

/** lb_subset_config. */
export interface SubsetConfig {
  readonly fallback: SubsetFallback
  readonly defaultSubset: Values
  readonly selectors: readonly SubsetSelector[]
  /** Subsets keep the weights of localities, scaled to their share where `scaleLocalityWeight`. */
  readonly localityWeightAware: boolean
  readonly scaleLocalityWeight: boolean
  /** Where the fallback has nobody, anybody serves. */
  readonly panicModeAny: boolean
  readonly listAsAny: boolean
  /** metadata_fallback_policy FALLBACK_LIST: a route's `fallback_list` names the metadata to try, one after the other. */
  readonly fallbackList: boolean
}

export type CreatePicker = (set: EndpointSet, deps: LoadBalancerDeps) => Picker

const FALLBACK_LIST = 'fallback_list'

/** Envoy's SubsetLoadBalancer: a picker for each combination of values that a selector's keys have; `inner` chooses within. */
export function createSubsetPicker(config: SubsetConfig, inner: CreatePicker, set: EndpointSet, deps: LoadBalancerDeps): Picker {
  const build = (endpoints: readonly Endpoint[]): Picker => inner(subsetOf(config, set, endpoints), deps)
  const selectors = config.selectors.map((selector) => ({
    selector,
    subsets: indexed(() => groupByValues(selector, config.listAsAny, set.endpoints), build),
  }))
  const any = later(() => inner(set, deps))
  const fallback = later(() => {
    const endpoints = set.endpoints.filter((endpoint) => holds(endpoint, config.defaultSubset, config.listAsAny))
    return endpoints.length === 0 ? undefined : build(endpoints)
  })

  const byFallback = (policy: SubsetFallback, context: PickContext): Endpoint | undefined => {
    if (policy === 'NO_FALLBACK') return undefined
    return (policy === 'ANY_ENDPOINT' ? any() : fallback())?.pick(context)
  }
  const byMetadata = (match: Values | undefined, context: PickContext): Endpoint | undefined => {
    const found = match && selectors.find(({ selector }) => sameKeys(selector.keys, match))
    if (found === undefined) return byFallback(config.fallback, context)
    const picker = found.subsets(keyOf(found.selector.keys, match!))
    if (picker !== undefined) return picker.pick(context)
    const { fallback: own = config.fallback, fallbackKeys } = found.selector
    if (own !== 'KEYS_SUBSET') return byFallback(own, context)
    return byMetadata(Object.fromEntries(fallbackKeys.map((key) => [key, match![key]])), context)
  }
  return {
    pick(context) {
      const chosen = firstOf(candidates(config, context.metadataMatch), (match) => byMetadata(match, context))
      return chosen ?? (config.panicModeAny ? any().pick(context) : undefined)
    },
  }
}

/** The metadata to look for, in order: one, unless the route has a fallback_list. */
function candidates({ fallbackList }: SubsetConfig, match: Values | undefined): readonly (Values | undefined)[] {
  const list = match?.[FALLBACK_LIST]
  if (!fallbackList || !Array.isArray(list)) return [match]
  const { [FALLBACK_LIST]: _, ...common } = match!
  return list.map((each) => ({ ...common, ...(each as Values) }))
}

function firstOf<T, R>(items: readonly T[], ask: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const answer = ask(item)
    if (answer !== undefined) return answer
  }
  return undefined
}

function sameKeys(keys: readonly string[], match: Values): boolean {
  return Object.keys(match).length === keys.length && keys.every((key) => Object.hasOwn(match, key))
}

const labelsOf = (endpoint: Endpoint): Values => endpoint.metadata['envoy.lb'] ?? {}
const text = (value: unknown): string => JSON.stringify(value) ?? ''
const keyOf = (keys: readonly string[], values: Values): string => keys.map((key) => text(values[key])).join('\n')

function groupByValues(
  { keys, singleHost }: SubsetSelector,
  listAsAny: boolean,
  endpoints: readonly Endpoint[],
): ReadonlyMap<string, readonly Endpoint[]> {
  const groups = new Map<string, Endpoint[]>()
  for (const endpoint of endpoints) {
    for (const key of combinations(keys, labelsOf(endpoint), listAsAny)) {
      const group = groups.get(key)
      if (group === undefined) groups.set(key, [endpoint])
      else if (!singleHost) group.push(endpoint)
    }
  }
  return groups
}

/** The keys under which labels stand: several with list_as_any, none where a label is missing. */
function combinations(keys: readonly string[], labels: Values, listAsAny: boolean): readonly string[] {
  let out: readonly string[] = ['']
  for (const [i, key] of keys.entries()) {
    if (!Object.hasOwn(labels, key)) return []
    const value = labels[key]
    const values = listAsAny && Array.isArray(value) ? value : [value]
    out = out.flatMap((prefix) => values.map((each) => (i === 0 ? text(each) : `${prefix}\n${text(each)}`)))
  }
  return keys.length === 0 ? [] : out
}

function holds(endpoint: Endpoint, wanted: Values, listAsAny: boolean): boolean {
  const labels = labelsOf(endpoint)
  return Object.entries(wanted).every(([key, value]) => {
    const own = labels[key]
    if (listAsAny && Array.isArray(own)) return own.some((each) => text(each) === text(value))
    return text(own) === text(value)
  })
}

function subsetOf(config: SubsetConfig, set: EndpointSet, endpoints: readonly Endpoint[]): EndpointSet {
  const { localityWeightAware, scaleLocalityWeight } = config
  if (!localityWeightAware) return { ...set, endpoints, localities: [] }
  if (!scaleLocalityWeight) return { ...set, endpoints }
  const localities = set.localities.map((each) => {
    const inside = (list: readonly Endpoint[]): number => list.filter((endpoint) => isIn(endpoint, each)).length
    const all = inside(set.endpoints)
    return { ...each, weight: all === 0 ? 0 : Math.ceil((each.weight * inside(endpoints)) / all) }
  })
  return { ...set, endpoints, localities }
}

function isIn({ locality, priority }: Endpoint, weight: LocalityWeight): boolean {
  const { region, zone, subZone } = weight.locality
  return priority === weight.priority && locality.region === region && locality.zone === zone && locality.subZone === subZone
}

function later<T>(create: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: create() }
    return made.value
  }
}

/** Groups once, pickers as they are asked for: most subsets of most clusters never are. */
function indexed(
  group: () => ReadonlyMap<string, readonly Endpoint[]>,
  build: (endpoints: readonly Endpoint[]) => Picker,
): (key: string) => Picker | undefined {
  const groups = later(group)
  const pickers = new Map<string, Picker>()
  return (key) => {
    const known = pickers.get(key)
    if (known !== undefined) return known
    const endpoints = groups().get(key)
    if (endpoints === undefined) return undefined
    const made = build(endpoints)
    pickers.set(key, made)
    return made
  }
}
