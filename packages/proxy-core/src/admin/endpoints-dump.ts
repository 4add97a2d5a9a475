import { addressMessage } from './address-message.js'
import type { ClusterView, HostView } from './page.js'

/** The endpoints of a cluster that is not discovered over EDS, as a ClusterLoadAssignment: what DNS or its configuration tells. */
export function loadAssignmentOf({ cluster, hosts }: ClusterView): object {
  const groups = new Map<string, HostView[]>()
  for (const host of hosts) {
    const { locality, priority } = host.endpoint
    const key = JSON.stringify([priority, locality.region, locality.zone, locality.subZone])
    groups.set(key, [...(groups.get(key) ?? []), host])
  }
  return {
    '@type': 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
    cluster_name: cluster.name,
    endpoints: [...groups.values()].map(localityOf),
  }
}

function localityOf(hosts: readonly HostView[]): object {
  const { locality, priority } = hosts[0]!.endpoint
  const { region, zone, subZone } = locality
  return {
    locality: { region, zone, sub_zone: subZone },
    priority,
    lb_endpoints: hosts.map(({ endpoint, ejected, active }) => ({
      endpoint: {
        address: addressMessage(endpoint.address),
        ...(endpoint.hostname !== undefined && { hostname: endpoint.hostname }),
      },
      health_status:
        ejected || active?.failed === true ? 'UNHEALTHY' : endpoint.health === 'UNKNOWN' ? 'HEALTHY' : endpoint.health,
      load_balancing_weight: endpoint.weight,
    })),
  }
}
