import { expect, test } from 'vitest'
import { InputError } from '../command.js'
import { main } from '../main.js'
import { createTestIo } from '../testing.js'
import { clusterTable } from './clusters.js'
import { endpointTable } from './endpoints.js'
import { listenerTable } from './listeners.js'
import { readConfigDump } from './read.js'
import { routeTable } from './routes.js'
import { secretTable } from './secrets.js'

const istio = (config: string): object => ({ filter_metadata: { istio: { config } } })
const HCM = 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'
const TCP = 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy'

const DUMP = {
  configs: [
    { '@type': 'type.googleapis.com/envoy.admin.v3.BootstrapConfigDump', bootstrap: { node: { id: 'n' } } },
    {
      '@type': 'type.googleapis.com/envoy.admin.v3.ClustersConfigDump',
      static_clusters: [{ cluster: { name: 'xds-grpc', type: 'STRICT_DNS' } }],
      dynamic_active_clusters: [
        {
          cluster: {
            name: 'outbound|80|v1|b.shop',
            type: 'EDS',
            metadata: istio('/apis/networking.istio.io/v1alpha3/namespaces/shop/destination-rule/b'),
          },
        },
        { cluster: { name: 'outbound|80||b.shop', type: 'EDS' } },
        { cluster: { name: 'BlackHoleCluster', type: 'STATIC' } },
        { cluster: { name: 'agg', cluster_type: { name: 'envoy.clusters.aggregate' } } },
      ],
    },
    {
      '@type': 'type.googleapis.com/envoy.admin.v3.ListenersConfigDump',
      dynamic_listeners: [
        {
          name: 'l',
          active_state: {
            listener: {
              address: { socket_address: { address: '0.0.0.0', port_value: 15006 } },
              filter_chains: [
                {
                  filter_chain_match: {
                    destination_port: 80,
                    transport_protocol: 'tls',
                    application_protocols: ['istio-peer-exchange', 'istio'],
                  },
                  filters: [{ name: 'n', typed_config: { '@type': TCP, cluster: 'inbound|80||' } }],
                },
                {
                  filter_chain_match: {
                    prefix_ranges: [{ address_prefix: '10.0.0.0', prefix_len: 8 }],
                    server_names: ['a', 'b'],
                  },
                  filters: [{ name: 'n', typed_config: { '@type': HCM, rds: { route_config_name: '80' } } }],
                },
              ],
              default_filter_chain: { filters: [{ name: 'n', typed_config: { '@type': TCP, cluster: 'BlackHoleCluster' } }] },
            },
          },
        },
        { name: 'refused', error_state: {} },
      ],
      static_listeners: [
        {
          listener: {
            address: { socket_address: { address: '127.0.0.1', port_value: 80 } },
            filter_chains: [
              {
                filters: [
                  {
                    name: 'n',
                    typed_config: {
                      '@type': HCM,
                      route_config: {
                        virtual_hosts: [{ domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'x' } }] }],
                      },
                    },
                  },
                ],
              },
            ],
          },
        },
      ],
    },
    {
      '@type': 'type.googleapis.com/envoy.admin.v3.RoutesConfigDump',
      dynamic_route_configs: [
        {
          route_config: {
            name: '9080',
            virtual_hosts: [
              {
                domains: [
                  'b.shop.svc.cluster.local',
                  'b.shop.svc.cluster.local:9080',
                  'b',
                  'b:9080',
                  'b.shop.svc',
                  'b.shop',
                  '10.0.0.1',
                ],
                routes: [
                  {
                    match: { path: '/x' },
                    route: { cluster: 'c' },
                    metadata: istio('/apis/networking.istio.io/v1alpha3/namespaces/shop/virtual-service/vs'),
                  },
                  { match: { safe_regex: { regex: '/a.*' } }, route: { cluster: 'c' } },
                ],
              },
              { domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'PassthroughCluster' } }] },
              { domains: ['none'] },
            ],
          },
        },
        { route_config: { name: '80', virtual_hosts: [{ domains: ['a'], routes: [{ match: { prefix: '/' } }] }] } },
      ],
    },
    {
      '@type': 'type.googleapis.com/envoy.admin.v3.EndpointsConfigDump',
      dynamic_endpoint_configs: [
        {
          endpoint_config: {
            cluster_name: 'outbound|80||b.shop',
            endpoints: [
              {
                lb_endpoints: [
                  {
                    endpoint: { address: { socket_address: { address: '10.0.0.2', port_value: 80 } } },
                    health_status: 'UNHEALTHY',
                  },
                  { endpoint: { address: { socket_address: { address: '10.0.0.1', port_value: 80 } } } },
                  { endpoint: { address: { pipe: { path: '/x' } } } },
                ],
              },
            ],
          },
        },
      ],
    },
    {
      '@type': 'type.googleapis.com/envoy.admin.v3.SecretsConfigDump',
      dynamic_active_secrets: [
        { name: 'default', secret: { tls_certificate: { certificate_chain: { inline_string: 'no certificate' } } } },
      ],
    },
  ],
}
const dump = readConfigDump(JSON.stringify(DUMP), 'dump.json')

test('clusters by service, subset, port', () => {
  expect(clusterTable(dump.clusters).slice(1)).toEqual([
    ['BlackHoleCluster', '-', '-', '-', 'STATIC', ''],
    ['agg', '-', '-', '-', 'envoy.clusters.aggregate', ''],
    ['b.shop', '80', '-', 'outbound', 'EDS', ''],
    ['b.shop', '80', 'v1', 'outbound', 'EDS', 'b.shop'],
    ['xds-grpc', '-', '-', '-', 'STRICT_DNS', ''],
  ])
})

test('listeners by port, a row for each filter chain', () => {
  expect(listenerTable(dump.listeners).slice(1)).toEqual([
    ['127.0.0.1', '80', 'ALL', 'Cluster: x'],
    ['0.0.0.0', '15006', 'SNI: a,b; Addr: 10.0.0.0/8', 'Route: 80'],
    ['0.0.0.0', '15006', 'ALL', 'Non-HTTP/Non-TCP'],
    ['0.0.0.0', '15006', 'Trans: tls; App: TCP TLS; Addr: *:80', 'Cluster: inbound|80||'],
  ])
})

test('routes by port, with the short names of their hosts', () => {
  expect(routeTable(dump.routes).slice(1)).toEqual([
    ['80', 'a', '/*', ''],
    ['9080', 'b, b.shop + 1 more...', '/x', 'vs.shop'],
    ['9080', 'b, b.shop + 1 more...', 'regex /a.*', ''],
    ['9080', 'none', '/*', '404'],
  ])
})

test('endpoints by address', () => {
  expect(endpointTable(dump.endpoints).slice(1)).toEqual([
    ['10.0.0.1:80', 'HEALTHY', 'OK', 'outbound|80||b.shop'],
    ['10.0.0.2:80', 'UNHEALTHY', 'OK', 'outbound|80||b.shop'],
    ['unix:///x', 'HEALTHY', 'OK', 'outbound|80||b.shop'],
  ])
})

test('a secret without a certificate that can be read is not valid', () => {
  expect(secretTable(dump.secrets, 0).slice(1)).toEqual([['default', 'Cert Chain', 'ACTIVE', 'false', '', '', '']])
})

test.each(['{', '[]', '{}'])('what is no config dump says so: %s', (text) => {
  expect(() => readConfigDump(text, 'x.json')).toThrow(InputError)
})

test('heddle proxy-config reads a saved dump, as a table or as JSON', async () => {
  const run = async (...argv: string[]): Promise<string> => {
    const io = createTestIo(JSON.stringify(DUMP))
    expect(await main(['proxy-config', ...argv, '-f', '-'], io)).toBe(0)
    return io.stdout
  }
  expect(await run('endpoints')).toBe(
    [
      'ENDPOINT        STATUS        OUTLIER CHECK     CLUSTER',
      '10.0.0.1:80     HEALTHY       OK                outbound|80||b.shop',
      '10.0.0.2:80     UNHEALTHY     OK                outbound|80||b.shop',
      'unix:///x       HEALTHY       OK                outbound|80||b.shop',
      '',
    ].join('\n'),
  )
  expect(JSON.parse(await run('bootstrap'))).toEqual({ node: { id: 'n' } })
  expect(Object.keys(JSON.parse(await run('all', '-o', 'json')) as object)).toEqual([
    'clusters',
    'listeners',
    'routes',
    'endpoints',
    'secrets',
  ])
  const io = createTestIo()
  expect(await main(['proxy-config', 'colours', '-f', '-'], io)).toBe(64)
})
