import type { Counter, MetricsRegistry } from '@heddle/runtime'
import { FILTER_LABEL, HTTP_LABEL } from './labels.js'

type FindCounter = (name: string) => Counter

/** Counters of an HTTP filter: `http.<manager's stat_prefix>.<family>.<name>`, with the filter's own prefix before the name. */
export function httpFilterCounter(registry: MetricsRegistry, managerPrefix: string, family: string, own?: string): FindCounter {
  return finderOf(ofManagers, registry, family, managerPrefix, own, () => {
    const help = `Envoy's http ${family} statistics.`
    return (name) => {
      const metric = `envoy_http_${family}_${name}`
      return own === undefined
        ? registry.counter(metric, help, [HTTP_LABEL]).labels(managerPrefix)
        : registry.counter(metric, help, [HTTP_LABEL, FILTER_LABEL]).labels(managerPrefix, own.replace(/\.$/, ''))
    }
  })
}

/** Counters under a prefix of the filter's own: `<prefix>.<family>.<name>`. */
export function prefixedCounter(registry: MetricsRegistry, label: string, prefix: string, family: string): FindCounter {
  return finderOf(
    ofFilters,
    registry,
    family,
    prefix,
    label,
    () => (name) => registry.counter(`envoy_${family}_${name}`, `Envoy's ${family} statistics.`, [label]).labels(prefix),
  )
}

type Known<T> = Map<string | undefined, T>

// Filters ask for their counters with each request; families, prefixes and names are few.
type Finders = WeakMap<MetricsRegistry, Known<Known<Known<FindCounter>>>>
const ofManagers: Finders = new WeakMap()
const ofFilters: Finders = new WeakMap()

function finderOf(
  finders: Finders,
  registry: MetricsRegistry,
  family: string,
  prefix: string,
  own: string | undefined,
  make: () => FindCounter,
): FindCounter {
  let families = finders.get(registry)
  if (families === undefined) finders.set(registry, (families = new Map()))
  let prefixes = families.get(family)
  if (prefixes === undefined) families.set(family, (prefixes = new Map()))
  let owners = prefixes.get(prefix)
  if (owners === undefined) prefixes.set(prefix, (owners = new Map()))
  let finder = owners.get(own)
  if (finder === undefined) owners.set(own, (finder = remembered(make())))
  return finder
}

function remembered(find: FindCounter): FindCounter {
  const known = new Map<string, Counter>()
  return (name) => {
    let counter = known.get(name)
    if (counter === undefined) known.set(name, (counter = find(name)))
    return counter
  }
}
