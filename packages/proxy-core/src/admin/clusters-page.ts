import type { CircuitBreakerLimits } from '../config/compiled.js'
import { compileRegex } from '../matcher/regex.js'
import { formatAddress } from '../net/address.js'
import type { ActiveHealth } from '../upstream/health-check/health-check.js'
import { addressMessage } from './address-message.js'
import { type AdminViews, type ClusterView, type HostView, json, type Page, text, wantsJson } from './page.js'

export const clusters: Page = {
  path: '/clusters',
  help: 'upstream cluster status',
  parameters: { format: 'text or json', filter: 'only clusters whose name matches this RE2' },
  answer(query, views) {
    const filter = compileRegex(`.*(?:${query.get('filter') ?? ''}).*`, 'filter')
    if (!filter.ok) return text('Invalid re2 regex', 400)
    const added = addedViaApi(views)
    const shown = views.clusters.filter(({ cluster }) => filter.value.matchesAll(cluster.name))
    return wantsJson(query)
      ? json({ cluster_statuses: shown.map((one) => inJson(one, added(one))) })
      : text(shown.map((one) => inText(one, added(one))).join(''))
  },
}

/** Not of the bootstrap. */
function addedViaApi({ bootstrap }: AdminViews): (view: ClusterView) => boolean {
  const fixed = new Set(bootstrap.static_resources?.clusters?.map(({ name }) => name))
  return ({ cluster }) => !fixed.has(cluster.name)
}

function inText({ cluster, hosts }: ClusterView, added: boolean): string {
  const { name, circuitBreakers: limits } = cluster
  const lines = [
    `observability_name::${cluster.altStatName || name}`,
    ...limitLines('default', limits),
    ...limitLines('high', cluster.highCircuitBreakers),
    `added_via_api::${added}`,
    ...(cluster.discovery.kind === 'EDS' ? [`eds_service_name::${cluster.discovery.serviceName}`] : []),
    ...hosts.flatMap(hostLines),
  ]
  return lines.map((line) => `${name}::${line}\n`).join('')
}

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

function hostLines({ endpoint, ejected, active, stats }: HostView): string[] {
  const { region, zone, subZone } = endpoint.locality
  const facts: readonly (readonly [string, string | number])[] = [
    ...Object.entries(stats),
    ['hostname', endpoint.hostname ?? ''],
    ['health_flags', healthFlags(endpoint.health, ejected, active)],
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

function healthFlags(health: string, ejected: boolean, active: ActiveHealth | undefined): string {
  const flags = [
    ...(active?.failed === true ? ['/failed_active_hc'] : []),
    ...(ejected ? ['/failed_outlier_check'] : []),
    ...(health === 'UNHEALTHY' || health === 'DRAINING' ? ['/failed_eds_health'] : []),
    ...(active?.degraded === true ? ['/degraded_active_hc'] : []),
    ...(health === 'DEGRADED' ? ['/degraded_eds_health'] : []),
    ...(active?.pending === true ? ['/pending_active_hc'] : []),
    ...(active?.excluded === true ? ['/excluded_via_immediate_hc_fail'] : []),
    ...(active?.timedOut === true ? ['/active_hc_timeout'] : []),
  ]
  return flags.length === 0 ? 'healthy' : flags.join('')
}

const GAUGES = new Set(['cx_active', 'rq_active', 'rq_pending_active'])

function inJson({ cluster, hosts }: ClusterView, added: boolean): object {
  const limits = cluster.circuitBreakers
  return {
    name: cluster.name,
    ...(added && { added_via_api: true }),
    host_statuses: hosts.map(({ endpoint, ejected, active, stats }) => ({
      address: addressMessage(endpoint.address),
      stats: Object.entries(stats).map(([name, value]) => ({
        ...(GAUGES.has(name) && { type: 'GAUGE' }),
        ...(value !== 0 && { value: String(value) }),
        name,
      })),
      health_status: {
        ...(active?.failed === true && { failed_active_health_check: true }),
        ...(ejected && { failed_outlier_check: true }),
        ...(active?.degraded === true && { failed_active_degraded_check: true }),
        ...(active?.pending === true && { pending_active_hc: true }),
        ...(active?.excluded === true && { excluded_via_immediate_hc_fail: true }),
        ...(active?.timedOut === true && { active_hc_timeout: true }),
        eds_health_status: endpoint.health === 'UNKNOWN' ? 'HEALTHY' : endpoint.health,
      },
      weight: endpoint.weight,
      ...(endpoint.hostname !== undefined && { hostname: endpoint.hostname }),
      ...(endpoint.priority > 0 && { priority: endpoint.priority }),
      locality: localityMessage(endpoint.locality),
    })),
    circuit_breakers: {
      thresholds: [limitsMessage('DEFAULT', limits), limitsMessage('HIGH', cluster.highCircuitBreakers)],
    },
    observability_name: cluster.altStatName || cluster.name,
    ...(cluster.discovery.kind === 'EDS' && { eds_service_name: cluster.discovery.serviceName }),
  }
}

function localityMessage({ region, zone, subZone }: { region: string; zone: string; subZone: string }): object {
  return { ...(region !== '' && { region }), ...(zone !== '' && { zone }), ...(subZone !== '' && { sub_zone: subZone }) }
}
