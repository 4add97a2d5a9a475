import type { Counter, MetricsRegistry } from '@heddle/runtime'
import { HTTP_LABEL } from './labels.js'

/** Counters of an HTTP filter: `http.<manager's stat_prefix>.<family>.<name>`. */
export function httpFilterCounter(registry: MetricsRegistry, managerPrefix: string, family: string): (name: string) => Counter {
  return (name) =>
    registry.counter(`envoy_http_${family}_${name}`, `Envoy's http ${family} statistics.`, [HTTP_LABEL]).labels(managerPrefix)
}

/** Counters under a prefix of the filter's own: `<prefix>.<family>.<name>`. */
export function prefixedCounter(
  registry: MetricsRegistry,
  label: string,
  prefix: string,
  family: string,
): (name: string) => Counter {
  return (name) => registry.counter(`envoy_${family}_${name}`, `Envoy's ${family} statistics.`, [label]).labels(prefix)
}
