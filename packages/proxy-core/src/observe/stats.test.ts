import { createMetricsRegistry } from '@heddle/runtime'
import { describe, expect, it } from 'vitest'
import { dottedName } from './stat-name.js'
import { createClusterStats, createHttpStats, createListenerStats } from './stats.js'

describe('statistics under their dotted names', () => {
  it.each<[string, string[], string[], string]>([
    ['envoy_http_downstream_rq_total', ['envoy_http_conn_manager_prefix'], ['in'], 'http.in.downstream_rq_total'],
    [
      'envoy_http_downstream_rq_xx',
      ['envoy_response_code_class', 'envoy_http_conn_manager_prefix'],
      ['2', 'in'],
      'http.in.downstream_rq_2xx',
    ],
    [
      'envoy_cluster_upstream_rq',
      ['envoy_response_code', 'envoy_cluster_name'],
      ['503', 'outbound|80||web'],
      'cluster.outbound|80||web.upstream_rq_503',
    ],
    [
      'envoy_cluster_outlier_detection_ejections_active',
      ['envoy_cluster_name'],
      ['web'],
      'cluster.web.outlier_detection.ejections_active',
    ],
    ['envoy_listener_ssl_handshake', ['envoy_listener_address'], ['127.0.0.1_80'], 'listener.127.0.0.1_80.ssl.handshake'],
    [
      'envoy_http_rbac_shadow_denied',
      ['envoy_http_conn_manager_prefix', 'envoy_rbac_prefix'],
      ['in', 'istio_dry_run_deny_'],
      'http.in.rbac.istio_dry_run_deny_.shadow_denied',
    ],
    ['envoy_http_rbac_allowed', ['envoy_http_conn_manager_prefix', 'envoy_rbac_prefix'], ['in', ''], 'http.in.rbac.allowed'],
    ['envoy_http_local_rate_limit_enforced', ['envoy_local_http_ratelimit_prefix'], ['rl'], 'rl.http_local_rate_limit.enforced'],
    [
      'envoy_http_compressor_a_gz_gzip_not_compressed',
      ['envoy_http_conn_manager_prefix'],
      ['in'],
      'http.in.compressor.a_gz.gzip.not_compressed',
    ],
    [
      'envoy_http_compressor_gzip_gzip_response_compressed',
      ['envoy_http_conn_manager_prefix'],
      ['in'],
      'http.in.compressor.gzip.gzip.response.compressed',
    ],
    ['envoy_cluster_circuit_breakers_high_rq_open', ['envoy_cluster_name'], ['web'], 'cluster.web.circuit_breakers.high.rq_open'],
    ['envoy_server_live', [], [], 'server.live'],
    ['envoy_cluster_manager_cds_init_fetch_timeout', [], [], 'cluster_manager.cds.init_fetch_timeout'],
    ['envoy_control_plane_connected_state', [], [], 'control_plane.connected_state'],
    ['envoy_proxy_proto_versions_v2_found', ['envoy_proxy_protocol_prefix'], ['mine'], 'proxy_proto.mine.versions.v2.found'],
    ['envoy_proxy_proto_versions_v1_error', ['envoy_proxy_protocol_prefix'], [''], 'proxy_proto.versions.v1.error'],
    ['envoy_proxy_proto_not_found_allowed', ['envoy_proxy_protocol_prefix'], ['mine'], 'proxy_proto.mine.not_found_allowed'],
    ['istio_requests_total', ['reporter'], ['source'], 'istio_requests_total.reporter.source'],
  ])('%s', (family, labels, values, want) => {
    expect(dottedName(family, labels, values)).toBe(want)
  })
})

describe('scopes', () => {
  it('share a registry, and count by class and by code', () => {
    const registry = createMetricsRegistry()
    const web = createClusterStats(registry, 'web')
    createClusterStats(registry, 'other')
    web.completed(200)
    web.completed(503)
    web.completed(503)
    createHttpStats(registry, 'in').completed(404)
    createListenerStats(registry, '127.0.0.1_80').downstreamCxTotal.inc()
    const seen = new Map<string, number>()
    for (const family of registry.families()) {
      for (const [values, metric] of family.series()) {
        if ('value' in metric && metric.value > 0) seen.set(dottedName(family.name, family.labelNames, values), metric.value)
      }
    }
    expect(Object.fromEntries(seen)).toEqual({
      'cluster.web.upstream_rq_completed': 3,
      'cluster.web.upstream_rq_2xx': 1,
      'cluster.web.upstream_rq_5xx': 2,
      'cluster.web.upstream_rq_200': 1,
      'cluster.web.upstream_rq_503': 2,
      'http.in.downstream_rq_completed': 1,
      'http.in.downstream_rq_4xx': 1,
      'listener.127.0.0.1_80.downstream_cx_total': 1,
    })
  })
})
