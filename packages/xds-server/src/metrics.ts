import type { MetricsRegistry } from '@heddle/runtime'
import type { Events } from './events.js'
import { metricType } from './protocol/push-order.js'

// Istio's buckets.
const SIZES = [1, 10_000, 1_000_000, 4_000_000, 10_000_000, 40_000_000] as const

/** Counts what happens under the names of Istio's control plane, so that its dashboards and alerts fit. */
export function recordMetrics(metrics: MetricsRegistry, events: Events): void {
  const of = instruments(metrics)
  events.subscribe((event) => {
    switch (event.kind) {
      case 'connected':
        of.connected.add(1)
        break
      case 'disconnected':
        if (event.nodeId !== '') of.connected.add(-1)
        break
      case 'refused':
        of.refused.labels(String(event.code)).inc()
        break
      case 'sent':
        of.pushes.labels(metricType(event.typeUrl)).inc()
        of.bytes.labels(metricType(event.typeUrl)).inc(event.bytes)
        of.sizes.labels(metricType(event.typeUrl)).observe(event.bytes)
        break
      case 'settled':
        of.convergence.observe(event.tookMs / 1_000)
        break
      case 'nacked':
        of.rejects.labels(metricType(event.typeUrl)).inc()
        break
      case 'quarantined':
        of.quarantined.labels(metricType(event.typeUrl)).inc(event.resources.length)
        break
      case 'stale-nonce':
        of.expired.labels(metricType(event.typeUrl)).inc()
        break
      case 'unanswered':
        of.unanswered.labels(metricType(event.typeUrl)).inc()
        break
      case 'unknown-type':
        of.unknown.inc()
        break
      case 'oversized':
        of.oversized.labels(metricType(event.typeUrl)).inc()
        break
      case 'inconsistent':
        of.inconsistent.inc()
        break
      case 'broken-resources':
        of.broken.inc()
        break
    }
  })
}

function instruments(metrics: MetricsRegistry) {
  const connected = metrics.gauge('pilot_xds', 'Number of endpoints connected to this pilot using XDS.').labels()
  const convergence = metrics
    .histogram(
      'pilot_proxy_convergence_time',
      'Delay in seconds between config change and a proxy receiving all required configuration.',
      [],
      [0.1, 0.5, 1, 3, 5, 10, 20, 30],
    )
    .labels()
  const pushes = metrics.counter('pilot_xds_pushes', 'Responses sent, by type.', ['type'])
  const rejects = metrics.counter('pilot_total_xds_rejects', 'Total number of XDS responses from pilot rejected by proxy.', [
    'type',
  ])
  const expired = metrics.counter('pilot_xds_expired_nonce', 'Total number of XDS requests with an expired nonce.', ['type'])
  const broken = metrics.counter('pilot_total_xds_internal_errors', 'Total number of internal XDS errors in pilot.').labels()
  const unknown = metrics
    .counter('xds_unknown_type_requests_total', 'Requests for a resource type that the server does not have.')
    .labels()
  const unanswered = metrics.counter('xds_unanswered_responses_total', 'Responses that a client has not answered in time.', [
    'type',
  ])
  const inconsistent = metrics.counter('xds_inconsistent_sets_total', 'Sets whose parts do not fit together, by stream.').labels()
  const refused = metrics.counter(
    'xds_refused_streams_total',
    'Streams that the server has refused or cut, by gRPC status code.',
    ['code'],
  )
  const sizes = metrics.histogram(
    'pilot_xds_config_size_bytes',
    'Distribution of configuration sizes pushed to clients.',
    ['type'],
    SIZES,
  )
  const bytes = metrics.counter('xds_sent_bytes_total', 'Bytes of responses sent.', ['type'])
  const oversized = metrics.counter('xds_oversized_responses_total', 'Responses that were too large to be sent.', ['type'])
  const quarantined = metrics.counter(
    'xds_quarantined_resources_total',
    'Resources taken back for all that hold their group, because a client refused them.',
    ['type'],
  )
  return {
    connected,
    convergence,
    pushes,
    rejects,
    quarantined,
    expired,
    broken,
    unknown,
    unanswered,
    inconsistent,
    refused,
    sizes,
    bytes,
    oversized,
  }
}
