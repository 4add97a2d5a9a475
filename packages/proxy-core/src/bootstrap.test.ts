import { ok } from '@heddle/runtime'
import { describe, expect, it } from 'vitest'
import { parseBootstrap } from './bootstrap.js'
import { serversOf } from './xds/server-config.js'

const ADS = { ads: {}, resource_api_version: 'V3' }
const ads = (grpc: object, apiType = 'DELTA_GRPC'): object => ({
  dynamic_resources: {
    lds_config: ADS,
    cds_config: ADS,
    ads_config: { api_type: apiType, transport_api_version: 'V3', grpc_services: [grpc] },
  },
})
const viaCluster = { envoy_grpc: { cluster_name: 'xds' } }
const cluster = (transportSocket?: object): object => ({
  name: 'xds',
  type: 'STATIC',
  load_assignment: {
    cluster_name: 'xds',
    endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: 15010 } } } }] }],
  },
  ...(transportSocket !== undefined && { transport_socket: transportSocket }),
})

describe('a bootstrap', () => {
  it('gives node, admin address and static resources, in either spelling of names', () => {
    const parsed = parseBootstrap({
      node: { id: 'sidecar~1', cluster: 'web', metadata: { NAMESPACE: 'nolen' } },
      admin: { address: { socketAddress: { address: '127.0.0.1', portValue: 15000 } } },
      staticResources: { listeners: [{ name: 'in' }], clusters: [{ name: 'web', connectTimeout: '1.500s' }] },
    })
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.diagnostics))
    expect(parsed.value).toMatchObject({
      node: { id: 'sidecar~1', metadata: { NAMESPACE: 'nolen' } },
      admin: { address: { address: '127.0.0.1', port: 15000 } },
      listeners: [{ name: 'in' }],
      clusters: [{ name: 'web', connect_timeout: '1.500s' }],
    })
    expect(parsed.value.dynamic).toBeUndefined()
  })

  it('tells which fields have no effect', () => {
    const parsed = parseBootstrap({ layered_runtime: { layers: [{ name: 'r', disk_layer: {} }] }, watchdogs: {} })
    expect(parsed.ok).toBe(true)
    expect(parsed.diagnostics.map(({ code, severity, path }) => `${severity} ${code} ${path}`)).toEqual([
      'warning bootstrap.ignored watchdogs',
      'warning bootstrap.ignored layered_runtime.layers[0].disk_layer',
    ])
  })

  it.each<[string, object, string, string]>([
    ['an unknown field', { static_resource: {} }, 'xds.unknown_field', 'static_resource'],
    ['health discovery', { hds_config: { api_type: 'GRPC' } }, 'bootstrap.unsupported', 'hds_config'],
    [
      'listeners from a file',
      { dynamic_resources: { lds_config: { path: '/x' } } },
      'bootstrap.unsupported',
      'dynamic_resources.lds_config',
    ],
    ['ADS without ads_config', { dynamic_resources: { lds_config: ADS } }, 'bootstrap.ads', 'dynamic_resources.ads_config'],
    [
      'runtime from a file',
      { layered_runtime: { layers: [{ name: 'r', rtds_layer: { name: 'r', rtds_config: { path: '/x' } } }] } },
      'bootstrap.unsupported',
      'layered_runtime.layers[0].rtds_layer.rtds_config',
    ],
    [
      'runtime over ADS without ads_config',
      { layered_runtime: { layers: [{ name: 'r', rtds_layer: { name: 'r', rtds_config: ADS } }] } },
      'bootstrap.ads',
      'dynamic_resources.ads_config',
    ],
    ['what breaks a rule of the API', { static_resources: { clusters: [{}] } }, 'xds.rule', 'static_resources.clusters[0].name'],
    ['REST', ads(viaCluster, 'REST'), 'bootstrap.unsupported', 'dynamic_resources.ads_config.api_type'],
    [
      'an admin address over UDP',
      { admin: { address: { socket_address: { protocol: 'UDP', address: '::', port_value: 1 } } } },
      'bootstrap.unsupported',
      'admin.address.socket_address.protocol',
    ],
  ])('refuses %s by name', (_, bootstrap, code, path) => {
    const parsed = parseBootstrap(bootstrap)
    expect(parsed.ok).toBe(false)
    expect(parsed.diagnostics).toContainEqual(expect.objectContaining({ code, path }))
  })
})

describe('the management server', () => {
  const server = (bootstrap: object, files: Record<string, string> = {}) => {
    const parsed = parseBootstrap(bootstrap)
    if (!parsed.ok || parsed.value.dynamic === undefined) throw new Error(JSON.stringify(parsed.diagnostics))
    const servers = serversOf(parsed.value.dynamic.source, parsed.value.clusters, { readFile: (path) => files[path] })
    return servers.ok ? ok(servers.value[0]) : servers
  }

  it.each([
    ['DELTA_GRPC', 'delta'],
    ['GRPC', 'sotw'],
  ])('speaks %s', (apiType, variant) => {
    const parsed = parseBootstrap(ads(viaCluster, apiType))
    expect(parsed).toMatchObject({
      ok: true,
      value: { dynamic: { variant, listeners: true, clusters: true, fetchTimeoutMs: { listeners: 15_000, clusters: 15_000 } } },
    })
  })

  it('is a list, in order of preference; a bad one is named by its place', () => {
    const second = { google_grpc: { target_uri: 'dns:///spare:15010' } }
    const all = (services: object[]) => {
      const source = { api_type: 'GRPC', grpc_services: services } as const
      return serversOf(source, [cluster()], {})
    }
    expect(all([viaCluster, second])).toMatchObject({ value: [{ target: '127.0.0.1:15010' }, { target: 'dns:///spare:15010' }] })
    expect(all([viaCluster, { envoy_grpc: { cluster_name: 'gone' } }]).diagnostics).toMatchObject([
      { path: 'dynamic_resources.ads_config.grpc_services[1].envoy_grpc.cluster_name' },
    ])
    expect(all([]).diagnostics).toMatchObject([{ path: 'dynamic_resources.ads_config.grpc_services' }])
  })

  it('is reached by a static cluster, plainly', () => {
    expect(server({ ...ads(viaCluster), static_resources: { clusters: [cluster()] } })).toMatchObject({
      ok: true,
      value: { target: '127.0.0.1:15010' },
    })
  })

  it('is reached by a static cluster with TLS from files and inline', async () => {
    const socket = {
      name: 'envoy.transport_sockets.tls',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
        sni: 'istiod.istio-system.svc',
        common_tls_context: {
          tls_certificates: [{ certificate_chain: { filename: '/c' }, private_key: { inline_string: 'KEY' } }],
          validation_context: { trusted_ca: { inline_bytes: 'Uk9PVA==' } },
        },
      },
    }
    const found = server(
      {
        ...ads({ ...viaCluster, initial_metadata: [{ key: 'Authorization', value: 'Bearer t' }] }),
        static_resources: { clusters: [cluster(socket)] },
      },
      { '/c': 'CHAIN' },
    )
    if (!found.ok) throw new Error(JSON.stringify(found.diagnostics))
    expect(found.value?.tls?.()).toEqual({
      rootCertificates: 'ROOT',
      certificateChain: 'CHAIN',
      privateKey: 'KEY',
      serverName: 'istiod.istio-system.svc',
    })
    expect(await found.value?.metadata?.()).toEqual({ authorization: 'Bearer t' })
  })

  it('is reached by google_grpc with a token', async () => {
    const found = server(
      ads({
        google_grpc: {
          target_uri: 'dns:///istiod:15012',
          stat_prefix: 'x',
          channel_credentials: { ssl_credentials: { root_certs: { inline_string: 'ROOT' } } },
          call_credentials: [{ access_token: 'abc' }],
        },
      }),
    )
    if (!found.ok) throw new Error(JSON.stringify(found.diagnostics))
    expect(found.value?.target).toBe('dns:///istiod:15012')
    expect(found.value?.tls?.()).toEqual({ rootCertificates: 'ROOT' })
    expect(await found.value?.metadata?.()).toEqual({ authorization: 'Bearer abc' })
  })

  it.each<[string, object, RegExp]>([
    ['no such cluster', ads(viaCluster), /No static cluster is called "xds"/],
    [
      'a file that is not there',
      {
        ...ads(viaCluster),
        static_resources: {
          clusters: [
            cluster({
              name: 'tls',
              typed_config: {
                '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
                common_tls_context: { validation_context: { trusted_ca: { filename: '/none' } } },
              },
            }),
          ],
        },
      },
      /cannot read "\/none"/,
    ],
  ])('is refused: %s', (_, bootstrap, message) => {
    const found = server(bootstrap)
    expect(found.ok).toBe(false)
    expect(found.diagnostics[0]?.message).toMatch(message)
  })
})
