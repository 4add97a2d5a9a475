import type { MetricsRegistry } from '@heddle/runtime'
import type { ProxyProtocolVersion } from '../net/proxy-protocol/header.js'
import { PROXY_PROTOCOL_LABEL } from './labels.js'

/** Envoy's `proxy_proto.*`. */
export interface ProxyProtocolStats {
  /** No header came, where it may be missing or not. */
  absent(allowed: boolean): void
  version(version: ProxyProtocolVersion, outcome: 'found' | 'disallowed' | 'error'): void
}

export function createProxyProtocolStats(registry: MetricsRegistry, statPrefix: string): ProxyProtocolStats {
  const counter = (name: string) =>
    registry.counter(`envoy_proxy_proto_${name}`, "Envoy's PROXY protocol statistics.", [PROXY_PROTOCOL_LABEL]).labels(statPrefix)
  return {
    absent: (allowed) => counter(allowed ? 'not_found_allowed' : 'not_found_disallowed').inc(),
    version: (version, outcome) => counter(`versions_${version.toLowerCase()}_${outcome}`).inc(),
  }
}
