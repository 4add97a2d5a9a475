import { writtenOnce } from '@heddle/xds-types'
import type { MetricConfig, PluginConfig } from '@heddle/xds-types/stats'
import type { Build } from '../build.js'
import { defined, duration, type TypedMessage, typed } from '../message.js'
import type { ListenerClass } from '../proxy-headers.js'
import { extensionProvider } from './extension-provider.js'
import { type MetricChange, metricProviders } from './metric-overrides.js'

/** istio.stats, once for each provider of metrics that is Prometheus: the only one that proxies count for. The same for HTTP and TCP. */
export function statsFilters(
  build: Build,
  listener: ListenerClass,
): readonly { readonly name: string; readonly typed_config: TypedMessage }[] {
  return build.proxy.stockEnvoy ? [] : build.found.of('stats filters', [listener], () => made(build, listener))
}

function made(build: Build, listener: ListenerClass): ReturnType<typeof statsFilters> {
  return metricProviders(build, listener).flatMap(({ provider, changes, reportingInterval }) => {
    if (extensionProvider(build, provider)?.prometheus === undefined) return []
    const config: PluginConfig = defined({
      // A server cannot trust the Host that a client names; a client knows whom it calls.
      disable_host_header_fallback: listener === 'outbound' ? undefined : true,
      tcp_reporting_duration: reportingInterval === undefined ? undefined : duration(reportingInterval),
      // A waypoint stands between both ends, and speaks for neither.
      reporter: build.proxy.type === 'waypoint' ? ('SERVER_GATEWAY' as const) : undefined,
      metrics: changes.length === 0 ? undefined : changes.map(metricOf),
    })
    return [writtenOnce({ name: 'istio.stats', typed_config: typed('stats.PluginConfig', config) })]
  })
}

const PROMETHEUS_NAMES: Readonly<Record<string, string>> = {
  REQUEST_COUNT: 'requests_total',
  REQUEST_DURATION: 'request_duration_milliseconds',
  REQUEST_SIZE: 'request_bytes',
  RESPONSE_SIZE: 'response_bytes',
  TCP_OPENED_CONNECTIONS: 'tcp_connections_opened_total',
  TCP_CLOSED_CONNECTIONS: 'tcp_connections_closed_total',
  TCP_SENT_BYTES: 'tcp_sent_bytes_total',
  TCP_RECEIVED_BYTES: 'tcp_received_bytes_total',
  GRPC_REQUEST_MESSAGES: 'request_messages_total',
  GRPC_RESPONSE_MESSAGES: 'response_messages_total',
}

function metricOf({ metric, disabled, tags }: MetricChange): MetricConfig {
  const sorted = [...tags].sort(([a], [b]) => (a < b ? -1 : 1))
  const values = sorted.flatMap(([tag, value]) => (value === undefined ? [] : [[tag, value] as const]))
  const removed = sorted.flatMap(([tag, value]) => (value === undefined ? [tag] : []))
  return defined({
    name: PROMETHEUS_NAMES[metric] ?? metric,
    dimensions: values.length === 0 ? undefined : Object.fromEntries(values),
    tags_to_remove: removed.length === 0 ? undefined : removed,
    drop: disabled ? true : undefined,
  })
}
