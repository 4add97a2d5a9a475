import type { Counter, MetricsRegistry } from '@heddle/runtime'
import { FILTER_LABEL, HTTP_LABEL } from './labels.js'

/** Counters of an HTTP filter: `http.<manager's stat_prefix>.<family>.<name>`, with the filter's own prefix before the name. */
export function httpFilterCounter(
  registry: MetricsRegistry,
  managerPrefix: string,
  family: string,
  own?: string,
): (name: string) => Counter {
  const help = `Envoy's http ${family} statistics.`
  return remembered((name) => {
    const metric = `envoy_http_${family}_${name}`
    return own === undefined
      ? registry.counter(metric, help, [HTTP_LABEL]).labels(managerPrefix)
      : registry.counter(metric, help, [HTTP_LABEL, FILTER_LABEL]).labels(managerPrefix, own.replace(/\.$/, ''))
  })
}

/** Counters under a prefix of the filter's own: `<prefix>.<family>.<name>`. */
export function prefixedCounter(
  registry: MetricsRegistry,
  label: string,
  prefix: string,
  family: string,
): (name: string) => Counter {
  return remembered((name) =>
    registry.counter(`envoy_${family}_${name}`, `Envoy's ${family} statistics.`, [label]).labels(prefix),
  )
}

/** Requests count by names that are few. */
function remembered(find: (name: string) => Counter): (name: string) => Counter {
  const known = new Map<string, Counter>()
  return (name) => {
    let counter = known.get(name)
    if (counter === undefined) known.set(name, (counter = find(name)))
    return counter
  }
}
