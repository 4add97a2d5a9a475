import type { CircuitBreakerLimits } from '../config/compiled.js'
import { formatAddress } from '../net/address.js'
import { addressMessage } from './address-message.js'
import { type ClusterView, type HostView, json, type Page, text, wantsJson } from './page.js'

export const clusters: Page = {
  path: '/clusters',
  help: 'upstream cluster status: ?format=text|json',
  answer(query, views) {
    if (wantsJson(query)) return json({ cluster_statuses: views.clusters.map(inJson) })
    return text(views.clusters.map(inText).join(''))
  },
}

function inText({ cluster, hosts }: ClusterView): string {
  const { name, circuitBreakers: limits } = cluster
  const lines = [
    `observability_name::${cluster.altStatName || name}`,
    ...limitLines('default', limits),
    // Requests have no priority here: the high one keeps Envoy's defaults.
    ...limitLines('high', DEFAULT_LIMITS),
    ...(cluster.discovery.kind === 'EDS' ? [`eds_service_name::${cluster.discovery.serviceName}`] : []),
    ...hosts.flatMap(hostLines),
  ]
  return lines.map((line) => `${name}::${line}\n`).join('')
}

const DEFAULT_LIMITS: CircuitBreakerLimits = { maxConnections: 1024, maxPendingRequests: 1024, maxRequests: 1024, maxRetries: 3 }

function limitLines(priority: string, limits: CircuitBreakerLimits): string[] {
  return [
    `${priority}_priority::max_connections::${limits.maxConnections}`,
    `${priority}_priority::max_pending_requests::${limits.maxPendingRequests}`,
    `${priority}_priority::max_requests::${limits.maxRequests}`,
    `${priority}_priority::max_retries::${limits.maxRetries}`,
  ]
}

function limitsMessage(priority: 'DEFAULT' | 'HIGH', limits: CircuitBreakerLimits): object {
  return {
    ...(priority === 'HIGH' && { priority }),
    max_connections: limits.maxConnections,
    max_pending_requests: limits.maxPendingRequests,
    max_requests: limits.maxRequests,
    max_retries: limits.maxRetries,
  }
}

function hostLines({ endpoint, ejected, stats }: HostView): string[] {
  const { region, zone, subZone } = endpoint.locality
  const facts: readonly (readonly [string, string | number])[] = [
    ...Object.entries(stats),
    ['hostname', endpoint.hostname ?? ''],
    ['health_flags', healthFlags(endpoint.health, ejected)],
    ['weight', endpoint.weight],
    ['region', region],
    ['zone', zone],
    ['sub_zone', subZone],
    ['canary', 'false'],
    ['priority', endpoint.priority],
    ['success_rate', '-1'],
    ['local_origin_success_rate', '-1'],
  ]
  const address = formatAddress(endpoint.address)
  return facts.map(([fact, value]) => `${address}::${fact}::${value}`)
}

function healthFlags(health: string, ejected: boolean): string {
  const flags = [
    ...(ejected ? ['/failed_outlier_check'] : []),
    ...(health === 'UNHEALTHY' || health === 'DRAINING' ? ['/failed_eds_health'] : []),
    ...(health === 'DEGRADED' ? ['/degraded_eds_health'] : []),
  ]
  return flags.length === 0 ? 'healthy' : flags.join('')
}

const GAUGES = new Set(['cx_active', 'rq_active'])

function inJson({ cluster, hosts }: ClusterView): object {
  const limits = cluster.circuitBreakers
  return {
    name: cluster.name,
    host_statuses: hosts.map(({ endpoint, ejected, stats }) => ({
      address: addressMessage(endpoint.address),
      stats: Object.entries(stats).map(([name, value]) => ({
        ...(GAUGES.has(name) && { type: 'GAUGE' }),
        ...(value !== 0 && { value: String(value) }),
        name,
      })),
      health_status: {
        ...(ejected && { failed_outlier_check: true }),
        eds_health_status: endpoint.health === 'UNKNOWN' ? 'HEALTHY' : endpoint.health,
      },
      weight: endpoint.weight,
      ...(endpoint.hostname !== undefined && { hostname: endpoint.hostname }),
      ...(endpoint.priority > 0 && { priority: endpoint.priority }),
      locality: localityMessage(endpoint.locality),
    })),
    circuit_breakers: {
      thresholds: [limitsMessage('DEFAULT', limits), limitsMessage('HIGH', DEFAULT_LIMITS)],
    },
    observability_name: cluster.altStatName || cluster.name,
    ...(cluster.discovery.kind === 'EDS' && { eds_service_name: cluster.discovery.serviceName }),
  }
}

function localityMessage({ region, zone, subZone }: { region: string; zone: string; subZone: string }): object {
  return { ...(region !== '' && { region }), ...(zone !== '' && { zone }), ...(subZone !== '' && { sub_zone: subZone }) }
}
