import {
  CLASS_LABEL,
  CLUSTER_LABEL,
  CODE_LABEL,
  CONNECTION_LIMIT_LABEL,
  EXTENSION_CONFIG_LABEL,
  FAULT_LABEL,
  FILTER_LABEL,
  GRPC_METHOD_LABEL,
  GRPC_SERVICE_LABEL,
  HTTP_LABEL,
  LISTENER_LABEL,
  LOCAL_RATE_LIMIT_LABEL,
  NETWORK_RATE_LIMIT_LABEL,
  NETWORK_RBAC_LABEL,
  PROXY_PROTOCOL_LABEL,
  RBAC_LABEL,
  RBAC_POLICY_LABEL,
  ROUTE_LABEL,
  SCOPED_RDS_LABEL,
  TCP_LABEL,
  VIRTUAL_CLUSTER_LABEL,
  VIRTUAL_HOST_LABEL,
} from './labels.js'

// From a Prometheus family and its labels back to the name that Envoy gives the statistic.

const SCOPES: readonly { readonly label: string; readonly family: string }[] = [
  { label: HTTP_LABEL, family: 'http' },
  { label: CLUSTER_LABEL, family: 'cluster' },
  { label: LISTENER_LABEL, family: 'listener' },
  { label: TCP_LABEL, family: 'tcp' },
  { label: CONNECTION_LIMIT_LABEL, family: 'connection_limit' },
  { label: NETWORK_RATE_LIMIT_LABEL, family: 'local_rate_limit' },
  { label: PROXY_PROTOCOL_LABEL, family: 'proxy_proto' },
  { label: EXTENSION_CONFIG_LABEL, family: 'extension_config_discovery_http_filter' },
]
/** Here the prefix comes before the family: `limiter.http_local_rate_limit.enabled`. */
const PREFIXED: readonly { readonly label: string; readonly family: string }[] = [
  { label: LOCAL_RATE_LIMIT_LABEL, family: 'http_local_rate_limit' },
  { label: NETWORK_RBAC_LABEL, family: 'rbac' },
]
const NESTED =
  /^(external|internal|retry(?=_upstream)|http(?=_downstream)|ssl|outlier_detection|scoped_rds|health_check|fault|cors|csrf|ratelimit|rbac|jwt_authn|ext_authz|http2|grpc)_/
/** A library's name, its kind, and the direction where the config tells them apart. */
const COMPRESSOR = /^compressor_(.+?)_(gzip|brotli|zstd)_(?:(request|response)_)?/
const BREAKERS = /^circuit_breakers_(default|high)_/

/** Envoy's dotted name of a series: `cluster.web.upstream_rq_5xx`. A family that is not Envoy's keeps its name and labels. */
export function dottedName(family: string, labelNames: readonly string[], values: readonly string[]): string {
  const labels = new Map(labelNames.map((name, index) => [name, values[index] ?? '']))
  for (const { label, family: name } of PREFIXED) {
    const value = labels.get(label)
    if (value !== undefined && family.startsWith(`envoy_${name}_`))
      return `${value}.${name}.${family.slice(`envoy_${name}_`.length)}`
  }
  const virtual = virtualName(family, labels)
  if (virtual !== undefined) return virtual
  for (const { label, family: prefix } of SCOPES) {
    const value = labels.get(label)
    if (value === undefined || !family.startsWith(`envoy_${prefix}_`)) continue
    const stat = withStatus(family.slice(`envoy_${prefix}_`.length), labels)
    const method = [labels.get(GRPC_SERVICE_LABEL), labels.get(GRPC_METHOD_LABEL)].filter(
      (part) => part !== undefined && part !== '',
    )
    const manager = prefix === 'listener' ? labels.get(HTTP_LABEL) : undefined
    const inner =
      labels.get(RBAC_LABEL) ??
      labels.get(FILTER_LABEL) ??
      labels.get(FAULT_LABEL) ??
      labels.get(SCOPED_RDS_LABEL) ??
      manager ??
      method.join('.')
    // The only family of two words that Envoy writes with a dot.
    if (label === EXTENSION_CONFIG_LABEL) return `extension_config_discovery.http_filter.${value}.${stat}`
    if (label === PROXY_PROTOCOL_LABEL) return proxyProtocolName(value, stat)
    const compressor = COMPRESSOR.exec(stat)
    if (compressor !== null)
      return [prefix, value, 'compressor', ...compressor.slice(1), stat.slice(compressor[0].length)].filter(Boolean).join('.')
    if (stat.startsWith('circuit_breakers_')) return `${prefix}.${value}.${stat.replace(BREAKERS, 'circuit_breakers.$1.')}`
    return `${prefix}.${value}.${stat.replace(NESTED, inner === '' ? '$1.' : `$1.${inner}.`)}`
  }
  if (labelNames.length === 0 && family.startsWith('envoy_'))
    return family
      .slice('envoy_'.length)
      .replace(/^(server|cluster_manager|listener_manager|control_plane|http1|http2)_/, '$1.')
      .replace(/^(cluster_manager\.cds|listener_manager\.lds)_/, '$1.')
  const pairs = labelNames.map((name, index) => `.${name}.${values[index] ?? ''}`)
  return `${family}${pairs.join('')}`
}

/** `upstream_rq_5xx`, `upstream_rq_503`; `rbac_policy.<name>.denied`. */
function withStatus(stat: string, labels: ReadonlyMap<string, string>): string {
  const policy = labels.get(RBAC_POLICY_LABEL)
  if (policy !== undefined) return stat.replace(/^rbac_policy_/, () => `rbac_policy.${policy}.`)
  const statusClass = labels.get(CLASS_LABEL)
  if (statusClass !== undefined && stat.endsWith('_xx')) return `${stat.slice(0, -3)}_${statusClass}xx`
  const code = labels.get(CODE_LABEL)
  return code === undefined ? stat : `${stat}_${code}`
}

/** `proxy_proto.mine.versions.v2.found`. */
function proxyProtocolName(statPrefix: string, stat: string): string {
  const name = stat.replace(/^versions_(v\d)_/, 'versions.$1.')
  return statPrefix === '' ? `proxy_proto.${name}` : `proxy_proto.${statPrefix}.${name}`
}

/** `vhost.shop.vcluster.checkout.upstream_rq_total`. */
function virtualName(family: string, labels: ReadonlyMap<string, string>): string | undefined {
  const host = labels.get(VIRTUAL_HOST_LABEL)
  const found = /^envoy_vhost_(vcluster|route)_(.*)$/.exec(family)
  if (host === undefined || found === null) return undefined
  const name = labels.get(VIRTUAL_CLUSTER_LABEL) ?? labels.get(ROUTE_LABEL) ?? ''
  return `vhost.${host}.${found[1]}.${name}.${withStatus(found[2]!, labels)}`
}
