/** Istio's standard metrics, without the `istio_` before each name (docs: reference/config/metrics). */
export const HELP = {
  requests_total: 'Requests that an Istio proxy handled.',
  request_duration_milliseconds: 'Duration of requests.',
  request_bytes: 'Size of requests on the wire.',
  response_bytes: 'Size of responses on the wire.',
  request_messages_total: 'Messages that gRPC clients sent.',
  response_messages_total: 'Messages that gRPC servers sent.',
  tcp_connections_opened_total: 'TCP connections that were opened.',
  tcp_connections_closed_total: 'TCP connections that were closed.',
  tcp_sent_bytes_total: 'Bytes sent to clients over TCP.',
  tcp_received_bytes_total: 'Bytes received from clients over TCP.',
} as const

export type StandardMetric = keyof typeof HELP

export const STANDARD_METRICS = Object.keys(HELP) as readonly StandardMetric[]

export function isStandard(name: string): name is StandardMetric {
  return Object.hasOwn(HELP, name)
}
