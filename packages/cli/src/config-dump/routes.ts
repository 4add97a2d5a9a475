import type { RouteConfiguration } from '@heddle/xds-types/envoy/config/route/v3'
import { describeRouteMatch } from './listeners.js'
import { describeOwner } from './owner.js'

const SHOWN_DOMAINS = 2

/** `istioctl proxy-config route`: a row for each route; passthrough routes are left out. */
export function routeTable(routes: readonly RouteConfiguration[]): string[][] {
  const table = [['NAME', 'DOMAINS', 'MATCH', 'VIRTUAL SERVICE']]
  for (const { name = '', virtual_hosts = [] } of [...routes].sort(byPort)) {
    for (const { domains = [], routes: inHost = [] } of virtual_hosts) {
      for (const route of inHost) {
        if (route.route?.cluster === 'PassthroughCluster') continue
        table.push([name, describeDomains(domains), describeRouteMatch(route.match), describeOwner(route.metadata)])
      }
      if (inHost.length === 0) table.push([name, describeDomains(domains), '/*', '404'])
    }
  }
  return table
}

/** Names that are port numbers by number; the others stand as they came. */
function byPort(a: RouteConfiguration, b: RouteConfiguration): number {
  const [left, right] = [Number(a.name), Number(b.name)]
  return Number.isInteger(left) && Number.isInteger(right) ? left - right : 0
}

/** The short forms without a port, two of them. */
function describeDomains(domains: readonly string[]): string {
  if (domains.length <= 1) return domains[0] ?? ''
  const withoutPort = domains.filter((domain) => !domain.includes(':') || (domain.match(/:/g) ?? []).length > 2)
  const all = new Set(domains)
  const short = withoutPort.filter(
    (domain) => !['.svc.cluster.local', '.svc'].some((end) => domain.endsWith(end) && all.has(domain.slice(0, -end.length))),
  )
  if (short.length <= SHOWN_DOMAINS) return short.join(', ')
  return `${short.slice(0, SHOWN_DOMAINS).join(', ')} + ${short.length - SHOWN_DOMAINS} more...`
}
