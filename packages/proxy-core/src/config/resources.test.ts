import { createWatch } from '@heddle/runtime'
import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import { describe, expect, it } from 'vitest'
import { joinRules, peerRules } from '../net/peer-rules.js'
import { testDeps } from '../testing.js'
import { OTHER_CHAIN, OTHER_CRL, OTHER_KEY, OWN_CHAIN, OWN_CRL, OWN_KEY, OWN_KEY_ENCRYPTED } from '../testing-certificates.js'
import type { Endpoint } from '../upstream/endpoint.js'
import { compileCluster } from './cluster.js'
import type { CompileDeps, CompiledCluster, CompiledFilterChain, Secret } from './compiled.js'
import { compileListener } from './listener.js'
import { compileLoadAssignment } from './load-assignment.js'

const TLS = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3'
const FILTERS = 'type.googleapis.com/envoy.extensions.filters'

function cluster(json: Cluster, deps: CompileDeps = testDeps()): CompiledCluster {
  const result = compileCluster({ name: 'c', ...json }, deps, 'c')
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  return result.value
}

const problems = (json: Cluster): readonly string[] =>
  compileCluster({ name: 'c', ...json }, testDeps(), 'c').diagnostics.map(({ path }) => path)
const endpoint = (labels: Record<string, unknown> = {}): Endpoint => ({
  address: { address: '127.0.0.1', port: 1 },
  weight: 1,
  priority: 0,
  locality: { region: '', zone: '', subZone: '' },
  health: 'HEALTHY',
  metadata: { 'envoy.transport_socket_match': labels },
})

const HEALTH_CHECK = { timeout: '1s', interval: '1s', unhealthy_threshold: 1, healthy_threshold: 1, tcp_health_check: {} }

describe('clusters', () => {
  it('have Envoy’s defaults', () => {
    expect(cluster({})).toMatchObject({
      discovery: { kind: 'STATIC' },
      connectTimeoutMs: 5000,
      circuitBreakers: { maxConnections: 1024, maxPendingRequests: 1024, maxRequests: 1024, maxRetries: 3 },
      http: { protocol: 'HTTP1', idleTimeoutMs: 3_600_000 },
    })
    expect(cluster({ outlier_detection: {} }).outlier).toMatchObject({
      consecutive5xx: 5,
      intervalMs: 10_000,
      baseEjectionTimeMs: 30_000,
      maxEjectionPercent: 10,
      maxEjectionTimeMs: 300_000,
    })
  })

  it('choose TLS by what the endpoint says of itself', () => {
    const compiled = cluster({
      transport_socket_matches: [
        {
          name: 'tlsMode-istio',
          match: { tlsMode: 'istio' },
          transport_socket: {
            name: 'tls',
            typed_config: {
              '@type': `${TLS}.UpstreamTlsContext`,
              sni: 'outbound_.80_._.a',
              common_tls_context: { alpn_protocols: ['istio-peer-exchange', 'istio'] },
            },
          },
        },
        { name: 'tlsMode-disabled', match: {}, transport_socket: { name: 'envoy.transport_sockets.raw_buffer' } },
      ],
    } as Cluster)
    // Without the TCP exchange itself its ALPN must not be offered.
    expect(compiled.tlsFor(endpoint({ tlsMode: 'istio' }))).toMatchObject({
      sni: 'outbound_.80_._.a',
      alpn: ['istio'],
      maxVersion: 'TLSv1.2',
    })
    expect(compiled.tlsFor(endpoint())).toBeUndefined()
  })

  it.each<[object, string]>([
    [{ lb_subset_config: { allow_redundant_keys: true } }, 'c.lb_subset_config.allow_redundant_keys'],
    [{ health_checks: [{}] }, 'c.health_checks[0].timeout'],
    [{ health_checks: [HEALTH_CHECK, HEALTH_CHECK] }, 'c.health_checks'],
    [{ load_balancing_policy: { policies: [] } }, 'c.load_balancing_policy.policies'],
    [{ ring_hash_lb_config: { hash_function: 'SHA_1' } }, 'c.ring_hash_lb_config.hash_function'],
    [{ maglev_lb_config: { table_size: '100' } }, 'c.maglev_lb_config'],
    [{ transport_socket: { name: 'quic', typed_config: { '@type': 'x/Quic' } } }, 'c.transport_socket.typed_config'],
    [{ filters: [{ name: 'f', typed_config: { '@type': 'x/Strange' } }] }, 'c.filters[0]'],
    [{ name: '' }, 'c.name'],
  ])('%j is refused at its path', (json, path) => {
    expect(problems(json as Cluster)).toContain(path)
  })
})

describe('TLS contexts', () => {
  const context = (
    common_tls_context: object | undefined,
    deps: CompileDeps,
  ): NonNullable<ReturnType<CompiledCluster['tlsFor']>> =>
    cluster(
      {
        transport_socket: { name: 'tls', typed_config: { '@type': `${TLS}.UpstreamTlsContext`, common_tls_context } },
      } as Cluster,
      deps,
    ).tlsFor(endpoint())!

  it('that say nothing wait for nothing: their clients are settled at once', () => {
    const watched: string[] = []
    const watch = (name: string) => {
      watched.push(name)
      return createWatch<Secret | undefined>(undefined)
    }
    const { material } = context(undefined, { ...testDeps(), secrets: { watch } } as never)
    expect([material.current !== undefined, watched]).toEqual([true, []])
  })

  it('have no material until every secret is there (CVE-2020-8664), and hear of each change', () => {
    const secrets: Record<string, ReturnType<typeof createWatch<Secret | undefined>>> = {
      default: createWatch<Secret | undefined>(undefined),
      ROOTCA: createWatch<Secret | undefined>(undefined),
    }
    const { material } = context(
      {
        tls_certificate_sds_secret_configs: [{ name: 'default' }],
        combined_validation_context: { default_validation_context: {}, validation_context_sds_secret_config: { name: 'ROOTCA' } },
      },
      testDeps({ secrets: { watch: (name) => secrets[name]! } }),
    )
    let heard = 0
    const stop = material.subscribe(() => heard++)
    secrets['default']!.set({ name: 'default', certificateChain: 'C', privateKey: 'K' })
    expect(material.current).toBeUndefined()
    secrets['ROOTCA']!.set({ name: 'ROOTCA', trustBundle: 'T' })
    expect(material.current).toEqual({ certificateChain: 'C', privateKey: 'K', trustBundle: 'T' })
    expect(material.current).toBe(material.current)
    stop()
    secrets['ROOTCA']!.set({ name: 'ROOTCA', trustBundle: 'T2' })
    expect(heard).toBe(2)
    expect(material.current?.trustBundle).toBe('T2')
  })

  it('read inline data and files', () => {
    const { material } = context(
      {
        tls_certificates: [{ certificate_chain: { inline_string: OWN_CHAIN }, private_key: { inline_bytes: btoa(OWN_KEY) } }],
        validation_context: { trusted_ca: { filename: '/ca.pem' } },
      },
      testDeps({ readFile: (path) => (path === '/ca.pem' ? OTHER_CHAIN : undefined) }),
    )
    expect(material.current).toEqual({ certificateChain: OWN_CHAIN, privateKey: OWN_KEY, trustBundle: OTHER_CHAIN })
  })

  it('take lists of revocation from among the trust anchors, too', () => {
    const trusted_ca = { inline_string: OWN_CHAIN + OTHER_CRL + OTHER_CHAIN }
    const { material } = context({ validation_context: { trusted_ca, crl: { inline_string: OWN_CRL } } }, testDeps())
    expect(material.current).toEqual({
      trustBundle: `${OWN_CHAIN}${OTHER_CHAIN}`.trimEnd(),
      crl: `${OTHER_CRL}${OWN_CRL}`.trimEnd(),
    })
  })

  it('read a key by its password', () => {
    const text = (inline_string: string): object => ({ inline_string })
    const certificate = { certificate_chain: text(OWN_CHAIN), private_key: text(OWN_KEY_ENCRYPTED), password: text('secret') }
    const { material } = context({ tls_certificates: [certificate] }, testDeps())
    expect(material.current).toEqual({ certificateChain: OWN_CHAIN, privateKey: OWN_KEY })
  })

  const certificate = (chain?: string, key?: string, more: object = {}): object => ({
    tls_certificates: [
      {
        ...(chain !== undefined && { certificate_chain: { inline_string: chain } }),
        ...(key !== undefined && { private_key: { inline_string: key } }),
        ...more,
      },
    ],
  })
  const validation = (more: object): object => ({ ...certificate(OWN_CHAIN, OWN_KEY), validation_context: more })
  const names = [{ san_type: 'DNS', matcher: { exact: 'a' } }]

  // Each as `envoy --mode validate` 1.40, which passes over a crl that is none.
  it.each<[string, object, string]>([
    ['no certificate', {}, 'a server needs a certificate'],
    ['an empty one', certificate(), 'tls_certificates[0].certificate_chain is required'],
    ['no chain', certificate(undefined, OWN_KEY), 'tls_certificates[0].certificate_chain is required'],
    ['an empty key', certificate(OWN_CHAIN, ''), 'tls_certificates[0].private_key is required'],
    ['a chain that is none', certificate('-', OWN_KEY), 'tls_certificates[0].certificate_chain cannot be read'],
    ["another's key", certificate(OWN_CHAIN, OTHER_KEY), 'tls_certificates[0].private_key is not the key'],
    [
      'a wrong password',
      certificate(OWN_CHAIN, OWN_KEY_ENCRYPTED, { password: { inline_string: 'wrong' } }),
      'tls_certificates[0].private_key cannot be read with this password',
    ],
    ['anchors that are none', validation({ trusted_ca: { inline_string: '-' } }), 'validation_context.trusted_ca has no cert'],
    [
      'no list',
      validation({ trusted_ca: { inline_string: OWN_CHAIN }, crl: { inline_string: '-' } }),
      'crl has no revocation list',
    ],
    [
      'a list of nobody',
      validation({ crl: { inline_string: OWN_CRL } }),
      'validation_context.crl says nothing without trusted_ca',
    ],
    ['names of nobody', validation({ match_typed_subject_alt_names: names }), 'match_typed_subject_alt_names anybody can claim'],
    ['the age of nobody', validation({ allow_expired_certificate: true }), 'allow_expired_certificate says nothing without'],
  ])('of a server with %s are refused', (_, common_tls_context, problem) => {
    const typed_config = { '@type': `${TLS}.DownstreamTlsContext`, common_tls_context }
    const filters = [
      { name: 't', typed_config: { '@type': `${FILTERS}.network.tcp_proxy.v3.TcpProxy`, stat_prefix: 't', cluster: 'c' } },
    ]
    const filter_chains = [{ transport_socket: { name: 'tls', typed_config }, filters }]
    const address = { socket_address: { address: '0.0.0.0', port_value: 1 } }
    const { ok, diagnostics } = compileListener({ name: 'l', address, filter_chains } as Listener, testDeps(), 'l')
    expect(ok).toBe(false)
    expect(diagnostics.map(({ path, message }) => `${path} ${message}`).join('\n')).toContain(problem)
  })

  const san = {
    uris: ['spiffe://td/ns/a/sa/b'],
    dns: ['*.example.com', 'exact.org'],
    ips: ['10.0.0.1'],
    emails: [],
    otherNames: [{ type: '1.2.3', value: 'upn' }],
  }
  it.each<[object, boolean]>([
    [{ match_subject_alt_names: [{ exact: 'spiffe://td/ns/a/sa/b' }] }, true],
    [{ match_subject_alt_names: [{ prefix: 'spiffe://other/' }] }, false],
    [{ match_typed_subject_alt_names: [{ san_type: 'URI', matcher: { prefix: 'spiffe://td/' } }] }, true],
    [{ match_typed_subject_alt_names: [{ san_type: 'URI', matcher: { exact: 'exact.org' } }] }, false],
    [{ match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: 'a.example.com' } }] }, true],
    [{ match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: 'a.b.example.com' } }] }, false],
    [{ match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: 'example.com' } }] }, false],
    [{ match_typed_subject_alt_names: [{ san_type: 'IP_ADDRESS', matcher: { exact: '10.0.0.1' } }] }, true],
    [{ match_typed_subject_alt_names: [{ san_type: 'OTHER_NAME', oid: '1.2.3', matcher: { exact: 'upn' } }] }, true],
    [{ match_typed_subject_alt_names: [{ san_type: 'OTHER_NAME', oid: '1.2.4', matcher: { exact: 'upn' } }] }, false],
  ])('CVE-2022-21657, CVE-2020-15104: %j lets the peer in: %j', (names, allowed) => {
    const validation_context = { ...names, trusted_ca: { inline_string: OWN_CHAIN } }
    const rules = context({ validation_context }, testDeps()).material.current?.rules
    expect(rules?.names.some((test) => test(san))).toBe(allowed)
  })

  it('pins certificates and keys, in each form that openssl prints', () => {
    const hash = 'ab'.repeat(32)
    const { material } = context(
      {
        validation_context: {
          verify_certificate_hash: [hash.toUpperCase(), hash.match(/../g)?.join(':')],
          verify_certificate_spki: ['NvqYIYSbgK2vCJpQhObf77vv+bQWtc5ek5RIOwPiC9A='],
        },
      },
      testDeps(),
    )
    expect(material.current?.rules).toMatchObject({
      hashes: [hash, hash],
      spkis: ['NvqYIYSbgK2vCJpQhObf77vv+bQWtc5ek5RIOwPiC9A='],
    })
  })

  it('joins the rules of a default context with what SDS brings', () => {
    const secret: Secret = { name: 'roots', trustBundle: 'T', crl: 'C', rules: peerRules({ hashes: ['aa'] }) }
    const { material, rules } = context(
      {
        combined_validation_context: {
          default_validation_context: { match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: 'a' } }] },
          validation_context_sds_secret_config: { name: 'roots' },
        },
      },
      testDeps({ secrets: { watch: () => createWatch<Secret | undefined>(secret) } }),
    )
    expect(material.current).toEqual({ trustBundle: 'T', crl: 'C', rules: secret.rules })
    expect(joinRules(rules, material.current?.rules)).toMatchObject({ names: [expect.anything()], hashes: ['aa'] })
  })

  it.each<[object, string]>([
    [{ verify_certificate_hash: ['abc'] }, 'verify_certificate_hash'],
    [{ verify_certificate_spki: ['abc'] }, 'verify_certificate_spki'],
    [
      { allow_expired_certificate: true, trusted_ca: { inline_string: OWN_CHAIN }, crl: { inline_string: OWN_CRL } },
      'allow_expired_certificate',
    ],
  ])('%j is refused', (validation_context, name) => {
    const typed_config = { '@type': `${TLS}.UpstreamTlsContext`, common_tls_context: { validation_context } }
    expect(problems({ transport_socket: { name: 'tls', typed_config } } as Cluster)[0]).toContain(`validation_context.${name}`)
  })

  it.each(['custom_validator_config', 'only_verify_leaf_cert_crl', 'max_verify_depth'])(
    '%s is refused: passing it over would widen trust',
    (name) => {
      const json = {
        transport_socket: {
          name: 'tls',
          typed_config: { '@type': `${TLS}.UpstreamTlsContext`, common_tls_context: { validation_context: { [name]: {} } } },
        },
      }
      expect(problems(json as Cluster)[0]).toContain(`validation_context.${name}`)
    },
  )
})

describe('load assignments', () => {
  it('become endpoints with locality, priority, weight and health', () => {
    const result = compileLoadAssignment(
      {
        cluster_name: 'c',
        endpoints: [
          {
            locality: { region: 'r', zone: 'z' },
            priority: 1,
            load_balancing_weight: 5,
            lb_endpoints: [
              {
                health_status: 'TIMEOUT',
                load_balancing_weight: 3,
                endpoint: { address: { socket_address: { address: '::1', port_value: 8080 } } },
              },
            ],
          },
        ],
      },
      'c',
    )
    expect(result).toMatchObject({
      ok: true,
      value: {
        overprovisioningFactor: 140,
        localities: [{ priority: 1, weight: 5 }],
        endpoints: [
          {
            address: { address: '::1', port: 8080 },
            weight: 3,
            priority: 1,
            health: 'UNHEALTHY',
            locality: { region: 'r', zone: 'z', subZone: '' },
          },
        ],
      },
    })
  })
})

describe('listeners', () => {
  const listener = (http: object, rest: object = {}) => {
    const manager = {
      '@type': `${FILTERS}.network.http_connection_manager.v3.HttpConnectionManager`,
      rds: { route_config_name: 'r' },
      http_filters: [{ name: 'router', typed_config: { '@type': `${FILTERS}.http.router.v3.Router` } }],
      ...http,
    }
    return compileListener(
      { name: 'l', filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }], ...rest } as Listener,
      testDeps(),
      'l',
    )
  }
  const managerOf = (http: object): CompiledFilterChain['terminal'] => {
    const result = listener(http)
    if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
    return result.value.filterChains[0]!.terminal
  }

  it('have Envoy’s defaults', () => {
    expect(managerOf({})).toMatchObject({
      codec: 'AUTO',
      serverName: 'envoy',
      forwardClientCert: 'SANITIZE',
      generateRequestId: true,
      normalizePath: false,
      escapedSlashes: 'KEEP_UNCHANGED',
      maxRequestHeadersKb: 60,
      maxHeadersCount: 100,
      timeouts: { idle: 3_600_000, streamIdle: 300_000, request: 0, requestHeaders: 0, drain: 5000, delayedClose: 1000 },
    })
    expect(listener({})).toMatchObject({ value: { bindToPort: true, listenerFiltersTimeoutMs: 15_000 } })
  })

  it('CVE-2024-45806: nothing is internal unless it is configured', () => {
    const internal = (http: object): ((address: string) => boolean) =>
      (managerOf(http) as { isInternalAddress(address: string): boolean }).isInternalAddress
    expect(['127.0.0.1', '10.0.0.1', '192.168.0.1'].filter(internal({}))).toEqual([])
    expect(
      internal({ internal_address_config: { cidr_ranges: [{ address_prefix: '10.0.0.0', prefix_len: 8 }] } })('10.1.1.1'),
    ).toBe(true)
  })

  it.each<[object, object, string]>([
    [{ http_filters: [] }, {}, 'l.filter_chains[0].filters[0].typed_config.http_filters'],
    [{ stream_flush_timeout: '1s' }, {}, 'l.filter_chains[0].filters[0].typed_config.stream_flush_timeout'],
    [
      {
        http_filters: [{ name: 'lua', typed_config: { '@type': 'x/envoy.extensions.filters.http.lua.v3.Lua' } }],
      },
      {},
      'l.filter_chains[0].filters[0].typed_config.http_filters[0].typed_config',
    ],
    [{}, { internal_listener: {} }, 'l.internal_listener'],
    [
      {},
      {
        listener_filters: [
          {
            name: 'x',
            typed_config: { '@type': `${FILTERS}.listener.proxy_protocol.v3.ProxyProtocol`, tlv_location: 'FILTER_STATE' },
          },
        ],
      },
      'l.listener_filters[0].typed_config.tlv_location',
    ],
    [{}, { filter_chains: [{ filters: [] }] }, 'l.filter_chains[0].filters'],
  ])('%j with %j is refused', (http, rest, path) => {
    const result = listener(http, rest)
    expect(result.diagnostics.map((diagnostic) => diagnostic.path)).toContain(path)
  })

  it('what only reads a protocol for its statistics is passed over, and said to be', () => {
    const tcp = {
      name: 't',
      typed_config: { '@type': `${FILTERS}.network.tcp_proxy.v3.TcpProxy`, stat_prefix: 't', cluster: 'c' },
    }
    const mongo = (more: object): object => ({
      name: 'm',
      typed_config: { '@type': `${FILTERS}.network.mongo_proxy.v3.MongoProxy`, stat_prefix: 'm', ...more },
    })
    const of = (more: object) => listener({}, { filter_chains: [{ filters: [mongo(more), tcp] }] })
    expect(of({})).toMatchObject({ ok: true, diagnostics: [{ severity: 'warning', code: 'config.no_statistics' }] })
    const delays = of({ delay: { fixed_delay: '1s' } })
    expect([delays.ok, delays.diagnostics.map(({ path }) => path)]).toEqual([
      false,
      expect.arrayContaining(['l.filter_chains[0].filters[0].typed_config.delay']),
    ])
  })

  it('a filter without a config of its own still stands in the chain', () => {
    const cors = { name: 'envoy.filters.http.cors', typed_config: { '@type': `${FILTERS}.http.cors.v3.Cors` } }
    const router = { name: 'router', typed_config: { '@type': `${FILTERS}.http.router.v3.Router` } }
    expect(managerOf({ http_filters: [cors, router] })).toMatchObject({ filters: [{ name: 'envoy.filters.http.cors' }] })
  })

  it('filters can be off for some ports', () => {
    const typed_config = { '@type': `${FILTERS}.listener.tls_inspector.v3.TlsInspector` }
    const filter_disabled = {
      or_match: {
        rules: [
          { destination_port_range: { start: 80, end: 81 } },
          { not_match: { destination_port_range: { start: 0, end: 9000 } } },
        ],
      },
    }
    const result = listener({}, { listener_filters: [{ name: 'tls', typed_config, filter_disabled }] })
    expect(result.ok && [79, 80, 81, 9000].map((port) => result.value.listenerFilterEnabled('tls_inspector', port))).toEqual([
      true,
      false,
      true,
      false,
    ])
    expect(result.ok && result.value.listenerFilterEnabled('http_inspector', 79)).toBe(false)
  })
})
