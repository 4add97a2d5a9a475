import { createProxy, type ProxyServer } from '@heddle/proxy-core'
import { createWatch, mapWatch, type WatchSource } from '@heddle/runtime'
import { createXdsServer } from '@heddle/xds-server'
import { listenGrpc } from '@heddle/xds-server/grpc'
import type { ResourceSet } from '@heddle/xds-types'
import { Listener } from '@heddle/xds-types/envoy/config/listener/v3'

/** Your own configuration: path -> text. Whatever you can turn into Envoy's messages will do. */
export type Site = Readonly<Record<string, string>>

const type = (name: string): string => `type.googleapis.com/envoy.extensions.filters.${name}`

function resourcesOf(site: Site, port_value: number): ResourceSet {
  const routes = Object.entries(site).map(([path, text]) => ({
    match: { path },
    direct_response: { status: 200, body: { inline_string: text } },
  }))
  const manager = {
    '@type': type('network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'site',
    route_config: { virtual_hosts: [{ name: 'site', domains: ['*'], routes }] },
    http_filters: [{ name: 'router', typed_config: { '@type': type('http.router.v3.Router') } }],
  }
  const address = { socket_address: { address: '127.0.0.1', port_value } }
  const listener: Listener = { name: 'site', address, filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }] }
  return { groups: [{ id: 'site', resources: new Map([[Listener.typeUrl, [listener]]]) }] }
}

/** A control plane, and a proxy on `port` that follows it. Setting `site` changes what the proxy answers. */
export async function startController(
  first: Site,
  port: number,
): Promise<{ site: WatchSource<Site>; proxy: ProxyServer; close(): Promise<void> }> {
  const site = createWatch(first)
  const xds = createXdsServer({ resources: () => mapWatch(site, (now) => resourcesOf(now, port)) })
  const server = await listenGrpc(xds, { address: '127.0.0.1:0' })
  const grpc_services = [{ google_grpc: { target_uri: `127.0.0.1:${server.port}`, stat_prefix: 'xds' } }]
  const ads_config = { api_type: 'DELTA_GRPC', transport_api_version: 'V3', grpc_services }
  const proxy = createProxy({
    bootstrap: { node: { id: 'edge-1' }, dynamic_resources: { ads_config, lds_config: { ads: {} }, cds_config: { ads: {} } } },
  })
  await proxy.start()
  return { site, proxy, close: () => proxy.close().then(server.close) }
}
