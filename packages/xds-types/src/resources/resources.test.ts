import { describe, expect, it } from 'vitest'
import { any } from '../any.js'
import type { Cluster } from '../gen/envoy/config/cluster/v3.js'
import type { Listener } from '../gen/envoy/config/listener/v3.js'
import { type Route, RouteConfiguration, type RouteMatch, type VirtualHost } from '../gen/envoy/config/route/v3.js'
import { Router } from '../gen/envoy/extensions/filters/http/router/v3.js'
import { HttpConnectionManager } from '../gen/envoy/extensions/filters/network/http_connection_manager/v3.js'
import { DownstreamTlsContext, UpstreamTlsContext } from '../gen/envoy/extensions/transport_sockets/tls/v3.js'
import { writtenOnce } from '../kept-bytes.js'
import { createTypeRegistry } from '../registry.js'
import {
  createAddressType,
  createAuthorizationType,
  createClusterType,
  createListenerType,
  createResourceTypes,
  createRouteConfigurationType,
  createWorkloadType,
  encodeResource,
} from './index.js'

const registry = createTypeRegistry([HttpConnectionManager, DownstreamTlsContext, UpstreamTlsContext])
const clusters = createClusterType(registry)
const listeners = createListenerType(registry)
const refsOf = (refs: readonly { typeUrl: string; name: string }[]): string[] =>
  refs.map(({ typeUrl, name }) => `${typeUrl.split('.').at(-1)} ${name}`)
const ads = { ads: {}, resource_api_version: 'V3' } as const
const tls = {
  tls_certificate_sds_secret_configs: [{ name: 'default', sds_config: ads }],
  combined_validation_context: { validation_context_sds_secret_config: { name: 'ROOTCA', sds_config: ads } },
}

describe('references', () => {
  it('of a cluster: its load assignment by service name, else by its own, and its secrets', () => {
    const cluster: Cluster = {
      name: 'c',
      type: 'EDS',
      transport_socket_matches: [
        { transport_socket: { typed_config: any(UpstreamTlsContext, { common_tls_context: tls }) } },
        { transport_socket: {} },
      ],
    }
    expect(refsOf(clusters.references(cluster))).toEqual(['ClusterLoadAssignment c', 'Secret default', 'Secret ROOTCA'])
    expect(refsOf(clusters.references({ ...cluster, eds_cluster_config: { service_name: 's' } }))).toContain(
      'ClusterLoadAssignment s',
    )
    expect(refsOf(clusters.references({ name: 'c', type: 'STATIC' }))).toEqual([])
  })

  it('of a listener: routes, secrets, extension configs, packed or not', () => {
    const manager: HttpConnectionManager = {
      rds: { route_config_name: '80', config_source: ads },
      http_filters: [{ name: 'wasm', config_discovery: { config_source: ads } }],
    }
    const listener: Listener = {
      name: 'l',
      filter_chains: [
        {
          filters: [{ name: 'hcm', typed_config: any(HttpConnectionManager, manager) }],
          transport_socket: { typed_config: any(DownstreamTlsContext, { common_tls_context: tls }) },
        },
        {
          filters: [
            {
              name: 'hcm',
              typed_config: {
                type_url: HttpConnectionManager.typeUrl,
                value: HttpConnectionManager.encode({ ...manager, rds: { route_config_name: '90' } }),
              },
            },
          ],
        },
      ],
      default_filter_chain: { filters: [{ name: 'tcp', typed_config: { type_url: 'x/unknown', value: new Uint8Array(0) } }] },
    }
    const wanted = [
      'RouteConfiguration 80',
      'TypedExtensionConfig wasm',
      'Secret default',
      'Secret ROOTCA',
      'RouteConfiguration 90',
    ]
    expect(refsOf(listeners.references(listener))).toEqual(wanted)
  })
})

describe('encodeResource', () => {
  it('encodes an object once, and equal objects to equal versions', () => {
    const cluster: Cluster = { name: 'c', type: 'EDS' }
    const first = encodeResource(clusters, cluster)
    if (!first.ok) throw new Error('encode')
    expect(encodeResource(clusters, cluster)).toEqual(first)
    expect((encodeResource(clusters, cluster) as typeof first).value).toBe(first.value)
    const twin = encodeResource(clusters, { type: 'EDS', name: 'c' })
    expect(twin).toEqual(first)
    expect(encodeResource(clusters, { name: 'c' })).not.toEqual(first)
  })

  it('says which resource is wrong, and where', () => {
    expect(encodeResource(clusters, { name: 'c', connect_timeout: 'soon' })).toMatchObject({
      ok: false,
      diagnostics: [{ code: 'xds.not_encodable', subject: 'Cluster c', path: 'connect_timeout' }],
    })
    expect(encodeResource(clusters, {})).toMatchObject({ ok: false, diagnostics: [{ code: 'xds.no_name' }] })
  })
})

const ISTIO: Readonly<Record<string, readonly [resource: object, name: string]>> = {
  Address: [{ service: { namespace: 'shop', hostname: 'tea.shop' } }, 'shop/tea.shop'],
  Authorization: [{ name: 'deny', namespace: 'shop' }, 'shop/deny'],
  Workload: [{ uid: 'c//Pod/shop/tea' }, 'c//Pod/shop/tea'],
  NameTable: [{ table: { tea: { ips: ['10.0.0.1'] } } }, 'NameTable'],
}

it('all types tell name, state and their own bytes', () => {
  for (const type of createResourceTypes(registry)) {
    // Its name stands in the Resource around it.
    if (type.shortName === 'LbEndpoint') continue
    const plain = type.shortName === 'ClusterLoadAssignment' ? { cluster_name: 'n' } : { name: 'n' }
    const [resource, name] = ISTIO[type.shortName] ?? [plain, 'n']
    expect(type.nameOf(resource), type.shortName).toBe(name)
    expect(type.fullStateInSotw, type.shortName).toBe(
      ['Cluster', 'Listener', 'ScopedRouteConfiguration', 'NameTable'].includes(type.shortName),
    )
    expect(type.decode(type.encode(resource)), type.shortName).toMatchObject({ ok: true, value: resource })
  }
})

it('a workload is called by its uid and refers to its policies, alone and as an address', () => {
  const workload = { uid: 'c//Pod/shop/tea', authorization_policies: ['shop/deny'] }
  const address = createAddressType(registry)
  expect(address.nameOf({ workload })).toBe('c//Pod/shop/tea')
  expect(refsOf(address.references({ workload }))).toEqual(['Authorization shop/deny'])
  expect(refsOf(createWorkloadType(registry).references(workload))).toEqual(['Authorization shop/deny'])
  expect([address.nameOf({}), createAuthorizationType(registry).nameOf({})]).toEqual(['', ''])
})

it('writes a virtual host of several long configurations once, into the bytes that it would have anyway', () => {
  const host = (name: string, path: string): VirtualHost => ({
    name,
    domains: [name],
    routes: [{ match: { prefix: path }, route: { cluster: 'a' } }],
  })
  const others = Array.from({ length: 15 }, (_, i) => host(`b${i}`, '/b'))
  const kept = host('a', '/a')
  const type = createRouteConfigurationType(registry)
  const bytes = (hosts: readonly VirtualHost[]): Uint8Array => {
    const encoded = encodeResource(type, { name: '80', virtual_hosts: hosts })
    if (!encoded.ok) throw new Error('not encoded')
    return encoded.value.bytes
  }
  const plain = (hosts: readonly VirtualHost[]): Uint8Array =>
    RouteConfiguration.encode({ name: '80', virtual_hosts: hosts }, registry)
  expect(bytes([kept, ...others])).toEqual(plain([kept, ...others]))
  // What was encoded must not change, so that this shows that it was not looked at again.
  Object.assign(kept, { name: 'unseen' })
  expect(bytes([...others, kept])).toEqual(plain([...others, host('a', '/a')]))
  expect(plain([...others, kept])).not.toEqual(bytes([...others, kept]))
  // Of a few each is written anew.
  expect(bytes([kept])).toEqual(plain([kept]))
})

it('writes what stands in many resources once: a message, an Any, a list', () => {
  const match: RouteMatch = { prefix: '/' }
  const routes: readonly Route[] = [{ match, route: { cluster: 'a' } }]
  const config = { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router', start_child_span: true }
  const host = (name: string): VirtualHost => ({ name, domains: [name], routes, typed_per_filter_config: { router: config } })
  const known = createTypeRegistry([Router])
  const wanted = RouteConfiguration.encode({ name: '80', virtual_hosts: [host('a')] }, known)
  for (const part of [match, routes, config]) writtenOnce(part)
  const type = createRouteConfigurationType(known)
  const bytes = (name: string): Uint8Array => {
    const encoded = encodeResource(type, { name: '80', virtual_hosts: [host(name)] })
    if (!encoded.ok) throw new Error('not encoded')
    return encoded.value.bytes
  }
  expect(bytes('a')).toEqual(wanted)
  // What is written once must not change, so that this shows that it was not looked at again.
  Object.assign(match, { prefix: '/unseen' })
  Object.assign(config, { start_child_span: false })
  expect(bytes('a')).toEqual(wanted)
  expect(RouteConfiguration.encode({ name: '80', virtual_hosts: [host('a')] }, known)).not.toEqual(wanted)
})
