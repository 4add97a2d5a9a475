import type { ClusterLoadAssignment, LbEndpoint } from '@heddle/xds-types/envoy/config/endpoint/v3'

/** `istioctl proxy-config endpoint`. What outlier detection has ejected only a live proxy knows; a config says OK. */
export function endpointTable(assignments: readonly ClusterLoadAssignment[]): string[][] {
  const rows = assignments.flatMap(({ cluster_name: cluster = '', endpoints = [] }) =>
    endpoints.flatMap(({ lb_endpoints = [] }) =>
      lb_endpoints.map((endpoint) => [addressOf(endpoint), healthOf(endpoint), 'OK', cluster]),
    ),
  )
  rows.sort((a, b) => compare(a[0], b[0]) || compare(a[3], b[3]))
  return [['ENDPOINT', 'STATUS', 'OUTLIER CHECK', 'CLUSTER'], ...rows]
}

function addressOf({ endpoint }: LbEndpoint): string {
  const { socket_address: socket, pipe, envoy_internal_address: internal } = endpoint?.address ?? {}
  if (socket !== undefined) return `${socket.address}:${socket.port_value ?? 0}`
  if (pipe !== undefined) return `unix://${pipe.path}`
  return internal === undefined ? '' : `envoy://${internal.server_listener_name}/${internal.endpoint_id ?? ''}`
}

function healthOf({ health_status = 'UNKNOWN' }: LbEndpoint): string {
  return health_status === 'UNKNOWN' ? 'HEALTHY' : health_status
}

function compare(a = '', b = ''): number {
  return a < b ? -1 : a > b ? 1 : 0
}
