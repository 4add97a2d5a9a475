import type { Result } from '@heddle/runtime'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testDeps } from '../testing.js'
import { OWN_CHAIN } from '../testing-certificates.js'
import { compileCluster } from './cluster.js'
import { compileListener } from './listener.js'
import { compileLoadAssignment } from './load-assignment.js'
import { compileRouteConfiguration } from './route-configuration.js'

const FILTERS = 'type.googleapis.com/envoy.extensions.filters'
const TLS = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3'
const deps = testDeps({ readFile: () => OWN_CHAIN })

const ROUTES = {
  name: 'r',
  virtual_hosts: [
    {
      name: 'v',
      domains: ['*'],
      retry_policy: {
        retry_on: '5xx',
        retriable_headers: [{ name: 'x', range_match: { start: '1', end: '2' } }],
        retry_back_off: { base_interval: '1s' },
      },
      request_headers_to_add: [{ header: { key: 'a', value: '%REQ(x)%' }, append_action: 'ADD_IF_ABSENT' }],
      typed_per_filter_config: {
        'envoy.filters.http.fault': {
          '@type': `${FILTERS}.http.fault.v3.HTTPFault`,
          delay: { fixed_delay: '1s', percentage: { numerator: 1 } },
        },
      },
      routes: [
        {
          match: { safe_regex: { regex: 'a' }, query_parameters: [{ name: 'q', string_match: { exact: 'v' } }] },
          route: {
            weighted_clusters: { clusters: [{ name: 'c', weight: 1 }] },
            hash_policy: [{ cookie: { name: 'c', ttl: '1s' } }],
          },
        },
        { match: { prefix: '/' }, direct_response: { status: 200, body: { inline_bytes: 'aGk=' } } },
        { match: { path: '/r' }, redirect: { regex_rewrite: { pattern: { regex: 'a' }, substitution: '\\1' } } },
      ],
    },
  ],
}
const RULES = {
  policies: {
    p: {
      permissions: [{ and_rules: { rules: [{ destination_ip: { address_prefix: '10.0.0.0', prefix_len: 8 } }] } }],
      principals: [
        {
          not_id: {
            metadata: { filter: 'f', path: [{ key: 'k' }], value: { list_match: { one_of: { string_match: { exact: 'v' } } } } },
          },
        },
      ],
    },
  },
}
const MANAGER = {
  '@type': `${FILTERS}.network.http_connection_manager.v3.HttpConnectionManager`,
  route_config: ROUTES,
  upgrade_configs: [{ upgrade_type: 'websocket' }],
  http_filters: [
    { name: 'rbac', typed_config: { '@type': `${FILTERS}.http.rbac.v3.RBAC`, rules: RULES } },
    {
      name: 'mx',
      typed_config: {
        '@type': 'type.googleapis.com/udpa.type.v1.TypedStruct',
        type_url: 'x/io.istio.http.peer_metadata.Config',
        value: { upstream_propagation: [{ istio_headers: {} }] },
      },
    },
    {
      name: 'stats',
      typed_config: {
        '@type': 'type.googleapis.com/stats.PluginConfig',
        metrics: [{ name: 'request_bytes', dimensions: { a: '"b"' } }],
      },
    },
    { name: 'router', typed_config: { '@type': `${FILTERS}.http.router.v3.Router` } },
  ],
}
const SAMPLES: Readonly<Record<string, { json: object; compile(json: object): Result<unknown> }>> = {
  listener: {
    json: {
      name: 'l',
      address: { socket_address: { address: '0.0.0.0', port_value: 80 } },
      listener_filters: [
        {
          name: 't',
          typed_config: { '@type': `${FILTERS}.listener.tls_inspector.v3.TlsInspector` },
          filter_disabled: { or_match: { rules: [{ any_match: true }] } },
        },
      ],
      filter_chains: [
        {
          filter_chain_match: { server_names: ['*.a'], prefix_ranges: [{ address_prefix: '10.0.0.0', prefix_len: 8 }] },
          filters: [{ name: 'h', typed_config: MANAGER }],
        },
      ],
    },
    compile: (json) => compileListener(json, deps, 'l'),
  },
  route: { json: ROUTES, compile: (json) => compileRouteConfiguration(json, deps, 'r') },
  cluster: {
    json: {
      name: 'c',
      type: 'STRICT_DNS',
      lb_policy: 'MAGLEV',
      maglev_lb_config: { table_size: '101' },
      circuit_breakers: { thresholds: [{ max_retries: 1, retry_budget: { budget_percent: { value: 1 } } }] },
      outlier_detection: { interval: '1s' },
      transport_socket_matches: [
        {
          name: 'm',
          match: { tlsMode: 'istio' },
          transport_socket: {
            name: 't',
            typed_config: {
              '@type': `${TLS}.UpstreamTlsContext`,
              common_tls_context: {
                tls_params: {
                  cipher_suites: ['[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]'],
                  ecdh_curves: ['P-256'],
                },
                validation_context: {
                  trusted_ca: { filename: 'f' },
                  match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: 'a' } }],
                },
              },
            },
          },
        },
      ],
      typed_extension_protocol_options: {
        'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
          '@type': 'x/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
          explicit_http_config: { http2_protocol_options: {} },
        },
      },
    },
    compile: (json) => compileCluster(json, deps, 'c'),
  },
  endpoints: {
    json: {
      endpoints: [
        {
          locality: { region: 'r' },
          lb_endpoints: [{ metadata: { filter_metadata: {} }, endpoint: { address: { pipe: { path: '/p' } } } }],
        },
      ],
    },
    compile: (json) => compileLoadAssignment(json, 'e'),
  },
}

/** Every place in a value, as the keys that lead there. */
function places(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([key, child]) => places(child, [...path, key]))]
}

function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>
  copy[key] = replaced(copy[key], rest, by)
  return copy
}

describe.each(Object.entries(SAMPLES))('a broken %s', (_name, { json, compile }) => {
  it('is fine when whole', () => {
    expect(compile(json).diagnostics).toEqual([])
  })

  it('never throws, whatever stands in any place', () => {
    const junk = fc.oneof(
      fc.constantFrom<unknown>(
        null,
        '',
        'x',
        -1,
        1.5,
        1e300,
        true,
        [],
        [null],
        [[]],
        {},
        { '@type': 'x' },
        { '@type': 5 },
        { a: { b: null } },
        '(',
        '1s',
        'NaN',
      ),
      fc.jsonValue({ maxDepth: 2 }),
    )
    fc.assert(
      fc.property(fc.constantFrom(...places(json).slice(1)), junk, (place, value) => {
        const result = compile(replaced(json, place, value) as object)
        if (!result.ok) expect(result.diagnostics.length).toBeGreaterThan(0)
      }),
      { seed: 3, numRuns: 400 },
    )
  }, 30_000)
})
