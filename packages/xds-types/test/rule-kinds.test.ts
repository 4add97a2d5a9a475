import { describe, expect, it } from 'vitest'
import { knownTypes } from '../src/known.js'

type Rule = Readonly<Record<string, unknown>>
const DURATION = { '@type': 'type.googleapis.com/google.protobuf.Duration', value: '1s' }
const text = (length: number): string => 'x'.repeat(length)
const FILTERS = 'envoy.extensions.filters.http'
const TLS = 'envoy.extensions.transport_sockets.tls.v3'
const LB = 'envoy.extensions.load_balancing_policies'

/** A field with each kind of rule that the API has: its message as it should be, and as it should not. */
const KINDS: readonly (readonly [kind: string, type: string, path: string, good: object, bad: object])[] = [
  ['any.required', 'envoy.config.core.v3.TypedExtensionConfig', 'typed_config', { typed_config: DURATION }, {}],
  ['bool.const', `${FILTERS}.buffer.v3.BufferPerRoute`, 'disabled', { disabled: true }, { disabled: false }],
  [
    'bytes.min_len',
    'envoy.config.tap.v3.HttpGenericBodyMatch.GenericTextMatch',
    'binary_match',
    { binary_match: 'AA==' },
    { binary_match: '' },
  ],
  [
    'bytes.max_len',
    'envoy.config.core.v3.HeaderValue',
    'raw_value',
    { raw_value: new Uint8Array(16384) },
    { raw_value: new Uint8Array(16385) },
  ],
  ['double.gt', 'envoy.config.core.v3.RateLimitSettings', 'fill_rate', { fill_rate: 0.1 }, { fill_rate: 0 }],
  ['double.gte', 'envoy.type.v3.Percent', 'value', { value: 0 }, { value: -0.1 }],
  [
    'double.lt',
    `${LB}.load_aware_locality.v3.LoadAwareLocality`,
    'remote_probe_fraction',
    { remote_probe_fraction: 0.99 },
    { remote_probe_fraction: 1 },
  ],
  ['double.lte', 'envoy.type.v3.Percent', 'value', { value: 100 }, { value: 100.1 }],
  ['duration.gt', 'envoy.config.cluster.v3.Cluster', 'connect_timeout', { connect_timeout: '0.1s' }, { connect_timeout: '0s' }],
  ['duration.gte', `${TLS}.DownstreamTlsContext`, 'session_timeout', { session_timeout: '0s' }, { session_timeout: '-1s' }],
  [
    'duration.lt',
    `${TLS}.DownstreamTlsContext`,
    'session_timeout',
    { session_timeout: '4294967295s' },
    { session_timeout: '4294967296s' },
  ],
  [
    'duration.lte',
    'envoy.extensions.common.aws.v3.AssumeRoleCredentialProvider',
    'session_duration',
    { session_duration: '43200s' },
    { session_duration: '43201s' },
  ],
  ['duration.required', 'envoy.config.route.v3.RetryPolicy.RetryBackOff', 'base_interval', { base_interval: '1s' }, {}],
  [
    'enum.defined_only',
    `${TLS}.TlsParameters`,
    'tls_minimum_protocol_version',
    { tls_minimum_protocol_version: 'TLSv1_2' },
    { tls_minimum_protocol_version: 99 },
  ],
  ['enum.not_in', `${TLS}.SubjectAltNameMatcher`, 'san_type', { san_type: 'DNS' }, {}],
  [
    'float.gte',
    `${LB}.client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin`,
    'error_utilization_penalty',
    { error_utilization_penalty: 0 },
    { error_utilization_penalty: -1 },
  ],
  [
    'int32.gt',
    'envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig',
    'update_frequency',
    { update_frequency: 1 },
    { update_frequency: 0 },
  ],
  ['int32.gte', `${FILTERS}.thrift_to_metadata.v3.FieldSelector`, 'id', { id: -32768 }, { id: -32769 }],
  ['int32.lte', `${FILTERS}.thrift_to_metadata.v3.FieldSelector`, 'id', { id: 32767 }, { id: 32768 }],
  [
    'int64.gt',
    'envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig',
    'max_active_downstream_connections',
    { max_active_downstream_connections: '1' },
    { max_active_downstream_connections: '0' },
  ],
  [
    'map.keys',
    'envoy.config.core.v3.Metadata',
    'filter_metadata.',
    { filter_metadata: { a: {} } },
    { filter_metadata: { '': {} } },
  ],
  ['map.min_pairs', 'envoy.service.rate_limit_quota.v3.BucketId', 'bucket', { bucket: { a: 'b' } }, { bucket: {} }],
  ['map.values', 'envoy.service.rate_limit_quota.v3.BucketId', 'bucket.a', { bucket: { a: 'b' } }, { bucket: { a: '' } }],
  ['message.required', `${TLS}.SubjectAltNameMatcher`, 'matcher', { matcher: { exact: 'a' } }, {}],
  [
    'repeated.items',
    `${TLS}.CertificateValidationContext`,
    'verify_certificate_spki[0]',
    { verify_certificate_spki: [text(44)] },
    { verify_certificate_spki: ['x'] },
  ],
  [
    'repeated.max_items',
    `${TLS}.TlsParameters`,
    'compliance_policies',
    { compliance_policies: ['FIPS_202205'] },
    { compliance_policies: ['FIPS_202205', 'FIPS_202205'] },
  ],
  ['repeated.min_items', 'envoy.config.route.v3.VirtualHost', 'domains', { domains: ['a'] }, { domains: [] }],
  [
    'repeated.unique',
    'envoy.config.route.v3.InternalRedirectPolicy',
    'response_headers_to_copy',
    { response_headers_to_copy: ['a', 'b'] },
    { response_headers_to_copy: ['a', 'a'] },
  ],
  ['string.ignore_empty', `${FILTERS}.gcp_authn.v3.TokenHeader`, 'name', { name: '' }, { name: 'a\nb' }],
  ['string.in', `${FILTERS}.ratelimit.v3.RateLimit`, 'request_type', { request_type: 'both' }, { request_type: 'all' }],
  ['string.max_bytes', `${TLS}.UpstreamTlsContext`, 'sni', { sni: text(255) }, { sni: 'é'.repeat(128) }],
  ['string.max_len', `${FILTERS}.api_key_auth.v3.Forwarding`, 'header', { header: text(1024) }, { header: text(1025) }],
  ['string.min_len', 'envoy.config.cluster.v3.Cluster', 'name', { name: 'a' }, { name: '' }],
  ['string.pattern', `${FILTERS}.basic_auth.v3.BasicAuth`, 'realm', { realm: 'a b' }, { realm: 'a\u0001' }],
  ['string.prefix', 'envoy.config.route.v3.RateLimit.HitsAddend', 'format', { format: '%A%' }, { format: 'A%' }],
  ['string.suffix', 'envoy.config.route.v3.RateLimit.HitsAddend', 'format', { format: '%A%' }, { format: '%A' }],
  ['string.strict', 'envoy.config.core.v3.HeaderValue', 'key', { key: 'a b' }, { key: 'a\nb' }],
  [
    'string.well_known_regex',
    `${FILTERS}.oauth2.v3.OAuth2Credentials.CookieNames`,
    'bearer_token',
    { bearer_token: 'a' },
    { bearer_token: 'a b' },
  ],
  [
    'uint32.gt',
    'envoy.extensions.clusters.dynamic_forward_proxy.v3.SubClustersConfig',
    'max_sub_clusters',
    { max_sub_clusters: 1 },
    { max_sub_clusters: 0 },
  ],
  [
    'uint32.gte',
    'envoy.config.endpoint.v3.LbEndpoint',
    'load_balancing_weight',
    { load_balancing_weight: 1 },
    { load_balancing_weight: 0 },
  ],
  ['uint32.ignore_empty', `${FILTERS}.ext_authz.v3.ShadowDecision`, 'status_code', { status_code: 0 }, { status_code: 99 }],
  ['uint32.lt', `${FILTERS}.fault.v3.FaultAbort`, 'http_status', { http_status: 599 }, { http_status: 600 }],
  ['uint32.lte', 'envoy.config.core.v3.SocketAddress', 'port_value', { port_value: 65535 }, { port_value: 65536 }],
  [
    'uint64.gt',
    'envoy.config.core.v3.UdpSocketConfig',
    'max_rx_datagram_size',
    { max_rx_datagram_size: '1' },
    { max_rx_datagram_size: '0' },
  ],
  [
    'uint64.gte',
    'envoy.extensions.filters.common.fault.v3.FaultRateLimit.FixedLimit',
    'limit_kbps',
    { limit_kbps: '1' },
    { limit_kbps: '0' },
  ],
  [
    'uint64.lt',
    'envoy.config.core.v3.UdpSocketConfig',
    'max_rx_datagram_size',
    { max_rx_datagram_size: '65535' },
    { max_rx_datagram_size: '65536' },
  ],
  [
    'uint64.lte',
    'envoy.config.cluster.v3.Cluster.RingHashLbConfig',
    'maximum_ring_size',
    { maximum_ring_size: '8388608' },
    { maximum_ring_size: '8388609' },
  ],
]

/** `string.min_len` and the like, of a field's rules and of those for its items, keys and values. */
function kindsOf(rules: Rule): string[] {
  return Object.entries(rules).flatMap(([kind, rule]) =>
    Object.entries(rule as Rule).flatMap(([name, value]) => [
      `${kind}.${name}`,
      ...(['items', 'keys', 'values'].includes(name) ? kindsOf(value as Rule) : []),
    ]),
  )
}

describe('each kind of rule in the API is kept by one message and broken by another', () => {
  it('none is left out', () => {
    const all = [...knownTypes.types].flatMap(({ table }) => table.fields.flatMap(({ rules }) => kindsOf((rules ?? {}) as Rule)))
    expect([...new Set(all)].sort()).toEqual([...KINDS.map(([kind]) => kind), 'message.skip'].sort())
    expect(new Set(all).size).toBeGreaterThanOrEqual(43)
  })

  it.each(KINDS)('%s: %s.%s', (kind, typeName, path, good, bad) => {
    const type = knownTypes.find(typeName)
    const [ruleKind = '', rule = ''] = kind.split('.')
    const field = type?.table.byName.get(path.replace(/[.[].*$/, ''))
    expect(kindsOf((field?.rules ?? {}) as Rule), 'the field has the rule').toContain(`${ruleKind}.${rule}`)
    const at = (message: object): string[] =>
      (type?.validate(message, knownTypes) ?? []).filter((problem) => problem.path === path).map(({ message: why }) => why)
    expect(at(good)).toEqual([])
    expect(at(bad)).toEqual([expect.any(String)])
  })

  it('message.skip: what is below is not checked, and is elsewhere', () => {
    const at = (name: string, message: object): unknown[] =>
      (knownTypes.find(name)?.validate(message) ?? []).map(({ path }) => path)
    expect(at('envoy.config.core.v3.KeyValueAppend', { entry: { key: '' } })).toEqual([])
    expect(at('envoy.config.core.v3.KeyValuePair', { key: '' })).toEqual(['key'])
  })

  it('string.pattern: the patterns of the API need time by length alone, whatever the text', () => {
    const patterns = new Set(
      [...knownTypes.types].flatMap(({ table }) =>
        table.fields.map(({ rules }) => (rules as { string?: { pattern?: string } } | undefined)?.string?.pattern ?? ''),
      ),
    )
    patterns.delete('')
    expect(patterns.size).toBeGreaterThan(5)
    for (const pattern of patterns) {
      // One repetition, anchored: nothing to try twice.
      expect(pattern, pattern).toMatch(/^\^/)
      expect(pattern.replace(/\[(?:[^\]\\]|\\.)*\]/g, 'C'), pattern).not.toMatch(/[+*]\)[+*{]|C[+*]C[+*]/)
      for (const unit of ['a', '/', '.mmd', ' ', '~:']) {
        const start = performance.now()
        new RegExp(pattern).test(`${unit.repeat(200_000)}\u0001`)
        expect(performance.now() - start, pattern).toBeLessThan(500)
      }
    }
  })
})
