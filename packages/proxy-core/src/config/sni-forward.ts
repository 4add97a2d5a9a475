import type { FilterConfig } from '@heddle/xds-types/envoy/extensions/filters/network/sni_dynamic_forward_proxy/v3'
import { hostPortOf } from '../upstream/dynamic-hosts.js'
import type { TcpProxy } from './compiled.js'
import { compileDnsCache } from './dns-cache.js'
import type { Fields } from './fields.js'

/** envoy.filters.network.sni_dynamic_forward_proxy: the server that a client names by SNI is where its connection goes. */
export function compileSniForward(fields: Fields<FilterConfig>): TcpProxy['sniForward'] {
  const cache = compileDnsCache(fields.message('dns_cache_config'))
  const port = fields.number('port_value', 443)
  fields.done({ save_upstream_address: 'the access log has the address that was used' })
  if (cache === undefined) fields.problem('is required.', 'dns_cache_config')
  return cache && { cache, port }
}

/** Where a connection goes, as `host:port`; undefined: its cluster knows. The tls_inspector lets no name with a port in it through. */
export function sniHostPort({ sniForward }: TcpProxy, serverName: string | undefined): string | undefined {
  return sniForward === undefined || serverName === undefined ? undefined : hostPortOf(serverName, sniForward.port)
}
