import { type DestinationHealthCheck, HEALTH_CHECK_ANNOTATION, isHttp } from '@heddle/config-model'
import type { HealthCheck } from '@heddle/xds-types/envoy/config/core/v3'
import type { ClusterDraft } from '../clusters/draft.js'
import type { ClusterTarget } from '../clusters/target.js'
import { defined, duration } from '../message.js'
import { isHttp2 } from '../protocol.js'
import { type Provenance, sourceOf } from '../provenance.js'
import { extensionOf } from './destination.js'

/**
 * Annotation `heddle.dev/health-check` of a DestinationRule -> health_checks of its clusters. Only where a proxy knows the endpoints: not where each
 * connection goes to its own destination. HTTP checks leave ports of other protocols alone, GRPC checks all but HTTP/2.
 */
export function applyHealthCheck(target: ClusterTarget, draft: ClusterDraft): void {
  const { cluster, http } = draft
  const check = extensionOf(target.rule, 'healthCheck')?.value
  if (check === undefined || target.sniDnat || cluster.type === 'ORIGINAL_DST' || cluster.cluster_type !== undefined) return
  const http2 = http.protocol === 'http2' || isHttp2(target.port.protocol)
  if (check.protocol === 'HTTP' && !isHttp(target.port.protocol)) return
  if (check.protocol === 'GRPC' && !http2) return
  cluster.health_checks = [healthCheck(check, target.service.hostname, http2)]
}

function healthCheck(check: DestinationHealthCheck, hostname: string, http2: boolean): HealthCheck {
  return {
    timeout: duration(check.timeout),
    interval: duration(check.interval),
    // Envoy's own default is 60 s for clusters that nobody called yet: a stopped instance must not wait for that.
    no_traffic_interval: duration(check.interval),
    unhealthy_threshold: check.unhealthyThreshold,
    healthy_threshold: check.healthyThreshold,
    ...checker(check, hostname, http2),
  }
}

function checker(check: DestinationHealthCheck, hostname: string, http2: boolean): HealthCheck {
  switch (check.protocol) {
    case 'HTTP':
      return {
        http_health_check: defined({
          host: check.host ?? hostname,
          path: check.path,
          expected_statuses: check.expectedStatuses?.map((status) => ({ start: String(status), end: String(status + 1) })),
          codec_client_type: http2 ? ('HTTP2' as const) : undefined,
        }),
      }
    case 'GRPC':
      return { grpc_health_check: defined({ service_name: check.service, authority: hostname }) }
    default:
      return { tcp_health_check: {} }
  }
}

/** Where the checks of a cluster stand in the user's configuration. */
export function healthCheckSource(target: ClusterTarget): Provenance | undefined {
  const found = extensionOf(target.rule, 'healthCheck')
  return found === undefined ? undefined : sourceOf(found.source, `metadata.annotations["${HEALTH_CHECK_ANNOTATION}"]`)
}
