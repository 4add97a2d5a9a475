import type { FilterChain, FilterChainMatch, Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import type { RouteConfiguration, RouteMatch, VirtualHost } from '@heddle/xds-types/envoy/config/route/v3'

// ALPN lists that istiod writes, in istioctl's words.
const APPLICATIONS: Readonly<Record<string, string>> = {
  'http/1.0,http/1.1,h2c,istio-http/1.0,istio-http/1.1,istio-h2': 'App: HTTP TLS',
  'istio,istio-http/1.0,istio-http/1.1,istio-h2': 'App: Istio HTTP Plain',
  'istio-peer-exchange,istio': 'App: TCP TLS',
  'http/1.0,http/1.1,h2c': 'App: HTTP',
  'http/1.1,h2c': 'App: http/1.1,h2c',
}

/** `istioctl proxy-config listener`: a row for each filter chain. */
export function listenerTable(listeners: readonly Listener[]): string[][] {
  const rows = listeners.map((listener) => {
    const { address = '', port_value = 0 } = listener.address?.socket_address ?? {}
    return { listener, address, port: port_value }
  })
  rows.sort((a, b) => a.port - b.port || (a.address < b.address ? -1 : 1))
  const table = [['ADDRESS', 'PORT', 'MATCH', 'DESTINATION']]
  for (const { listener, address, port } of rows) {
    const { filter_chains = [], default_filter_chain } = listener
    const chains = [...filter_chains, ...(default_filter_chain === undefined ? [] : [default_filter_chain])]
    const described = chains.map((chain) => [describeChainMatch(chain.filter_chain_match ?? {}), describeDestination(chain)])
    described.sort(([, a = ''], [, b = '']) => (a > b ? -1 : a < b ? 1 : 0))
    for (const row of described) table.push([address, String(port), ...row])
  }
  return table
}

function describeChainMatch(match: FilterChainMatch): string {
  const found: string[] = []
  const { server_names = [], transport_protocol = '', application_protocols = [], prefix_ranges = [] } = match
  if (server_names.length > 0) found.push(`SNI: ${server_names.join(',')}`)
  if (transport_protocol !== '') found.push(`Trans: ${transport_protocol}`)
  const applications = application_protocols.join(',')
  if (applications !== '') found.push(APPLICATIONS[applications] ?? `App: ${applications}`)
  const port = match.destination_port === undefined ? '' : `:${match.destination_port}`
  const ranges = prefix_ranges.map(({ address_prefix, prefix_len }) => `${address_prefix}/${prefix_len ?? 0}`)
  if (ranges.length > 0) found.push(`Addr: ${ranges.join(',')}${port}`)
  else if (port !== '') found.push(`Addr: *${port}`)
  return found.length === 0 ? 'ALL' : found.join('; ')
}

interface TypedConfig {
  readonly '@type'?: string
  readonly cluster?: string
  readonly rds?: { readonly route_config_name?: string }
  readonly route_config?: RouteConfiguration
}

function describeDestination({ filters = [] }: FilterChain): string {
  for (const filter of filters) {
    const config = (filter.typed_config ?? {}) as TypedConfig
    const type = String(config['@type'] ?? '')
    if (type.endsWith('.HttpConnectionManager')) {
      if (config.route_config !== undefined) return describeInlineRoute(config.route_config)
      return config.rds?.route_config_name ? `Route: ${config.rds.route_config_name}` : 'HTTP'
    }
    if (type.endsWith('.TcpProxy') && config.cluster !== 'BlackHoleCluster') return describeCluster(config.cluster ?? '')
  }
  return 'Non-HTTP/Non-TCP'
}

/** `PassthroughCluster` needs no word in front. */
function describeCluster(name: string): string {
  return name.includes('Cluster') ? name : `Cluster: ${name}`
}

function describeInlineRoute({ virtual_hosts: hosts = [] }: RouteConfiguration): string {
  const [host] = hosts
  const [route] = host?.routes ?? []
  const onlyCluster = host?.routes?.length === 1 && route?.match?.prefix === '/' ? route.route?.cluster : undefined
  if (hosts.length === 1 && isAll(host) && onlyCluster !== undefined) return describeCluster(onlyCluster)
  const described = hosts.map((each) => {
    const routes = (each.routes ?? []).map(({ match }) => describeRouteMatch(match)).join(', ')
    return isAll(each) ? routes : `${(each.domains ?? []).join('/')} ${routes}`
  })
  return `Inline Route: ${described.join('; ')}`
}

function isAll(host: VirtualHost | undefined): boolean {
  return host?.domains?.length === 1 && host.domains[0] === '*'
}

/** `/*` of a prefix, the path, `regex …`; headers are left out, as by istioctl. */
export function describeRouteMatch(match: RouteMatch | undefined): string {
  if (match?.path_separated_prefix) return `PathPrefix:${match.path_separated_prefix}`
  if (match?.prefix) return `${match.prefix}*`
  if (match?.path) return match.path
  return match?.safe_regex === undefined ? '' : `regex ${match.safe_regex.regex ?? ''}`
}
