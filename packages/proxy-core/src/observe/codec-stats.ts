import type { MetricsRegistry } from '@heddle/runtime'
import type { CodecStats } from '../http/codec.js'
import { CLUSTER_LABEL } from './labels.js'

/** Envoy's statistics of its HTTP/2 codec: `http2.*` of the server, or `cluster.<name>.http2.*`. */
export function createCodecStats(registry: MetricsRegistry, clusterName?: string): CodecStats {
  const help = "Envoy's HTTP/2 codec statistics."
  const labels = clusterName === undefined ? [] : [CLUSTER_LABEL]
  const values = clusterName === undefined ? [] : [clusterName]
  const full = (name: string): string => (clusterName === undefined ? `envoy_http2_${name}` : `envoy_cluster_http2_${name}`)
  const counter = (name: string) => registry.counter(full(name), help, labels).labels(...values)
  const gauge = (name: string) => registry.gauge(full(name), help, labels).labels(...values)
  return {
    droppedHeadersWithUnderscores: counter('dropped_headers_with_underscores'),
    headerOverflow: counter('header_overflow'),
    headersCbNoStream: counter('headers_cb_no_stream'),
    inboundEmptyFramesFlood: counter('inbound_empty_frames_flood'),
    inboundPriorityFramesFlood: counter('inbound_priority_frames_flood'),
    inboundWindowUpdateFramesFlood: counter('inbound_window_update_frames_flood'),
    keepaliveTimeout: counter('keepalive_timeout'),
    outboundControlFlood: counter('outbound_control_flood'),
    outboundFlood: counter('outbound_flood'),
    requestsRejectedWithUnderscores: counter('requests_rejected_with_underscores_in_headers'),
    rxMessagingError: counter('rx_messaging_error'),
    rxReset: counter('rx_reset'),
    tooManyHeaderFrames: counter('too_many_header_frames'),
    trailers: counter('trailers'),
    txReset: counter('tx_reset'),
    goawaySent: counter('goaway_sent'),
    streamsActive: gauge('streams_active'),
    pendingSendBytes: gauge('pending_send_bytes'),
  }
}
