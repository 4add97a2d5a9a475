/** The names that Istio gives to clusters, listeners, route configurations and virtual hosts. They are contract: tools and dashboards parse them. */

export const BLACK_HOLE_CLUSTER = 'BlackHoleCluster'
export const PASSTHROUGH_CLUSTER = 'PassthroughCluster'
export const INBOUND_PASSTHROUGH_CLUSTER = 'InboundPassthroughCluster'

/** RDS name of the HTTP proxy listener (MeshConfig.proxyHttpPort, node metadata HTTP_PROXY_PORT). */
export const HTTP_PROXY_ROUTE = 'http_proxy'

export const VIRTUAL_OUTBOUND = 'virtualOutbound'
export const VIRTUAL_INBOUND = 'virtualInbound'

/** Secrets that a proxy gets from its agent, never from the control plane. */
export const WORKLOAD_CERTIFICATE = 'default'
export const WORKLOAD_ROOT = 'ROOTCA'

export interface ClusterName {
  readonly direction: 'outbound' | 'inbound' | 'inbound-vip'
  readonly port: number
  /** '' without one. */
  readonly subset: string
  /** '' for inbound. */
  readonly host: string
}

/** `outbound|80|v1|reviews.default.svc.cluster.local`. */
export function outboundCluster(port: number, subset: string, host: string): string {
  return `outbound|${port}|${subset}|${host}`
}

/** `inbound|8080||`: named by the port that the application listens on. */
export function inboundCluster(port: number): string {
  return `inbound|${port}||`
}

/** `inbound-vip|80|http/v1|reviews.default.svc.cluster.local`: of a waypoint, for a port of a service behind it. */
export function vipCluster(port: number, layer: 'http' | 'tcp', subset: string, host: string): string {
  return `inbound-vip|${port}|${layer}${subset === '' ? '' : `/${subset}`}|${host}`
}

/** The SNI of a cluster, and the cluster's own name on AUTO_PASSTHROUGH gateways: `outbound_.80_.v1_.host`. */
export function sniOfCluster(port: number, subset: string, host: string): string {
  return `outbound_.${port}_.${subset}_.${host}`
}

/** The parts of an outbound or inbound cluster name; undefined for any other cluster. */
export function parseClusterName(name: string): ClusterName | undefined {
  const [direction, port, subset, host, ...rest] = name.split('|')
  if (
    (direction !== 'outbound' && direction !== 'inbound' && direction !== 'inbound-vip') ||
    subset === undefined ||
    host === undefined ||
    rest.length > 0
  )
    return undefined
  const number = Number(port)
  return Number.isInteger(number) ? { direction, port: number, subset, host } : undefined
}

/** `10.0.0.1_80`: a listener, by the address it is bound to. */
export function listenerName(bind: string, port: number): string {
  return `${bind}_${port}`
}

/** `host:port`, with brackets around IPv6. */
export function hostWithPort(host: string, port: number): string {
  return `${bracketed(host)}:${port}`
}

/** An IPv6 address in brackets, anything else as it is. */
export function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}

/** Istio ends stat names with `;`, so that dots inside them are not read as separators. */
export function statName(name: string): string {
  return `${name};`
}
