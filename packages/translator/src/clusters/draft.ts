import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import { defined, duration, PRESERVE_CASE, typed } from '../message.js'
import { statName } from '../names.js'
import { isEmpty } from '../selection.js'

const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions'

/** Which protocol a cluster speaks to its endpoints. */
export type UpstreamProtocol = 'http1' | 'http2' | 'downstream'

/** HttpProtocolOptions before it is known whether the cluster needs them at all. */
export interface HttpOptions {
  protocol?: UpstreamProtocol
  common?: {
    idle_timeout?: string | undefined
    max_requests_per_connection?: number | undefined
    max_connection_duration?: string | undefined
  }
  maxConcurrentStreams?: number
  keepAlive?: { interval?: string; timeout?: string }
  /** HTTP/1 header names keep the case in which they came. */
  preserveCase?: boolean
  upstream?: { auto_sni?: boolean; auto_san_validation?: boolean; override_auto_sni_header?: string }
}

/** A cluster while its parts are put together. */
export interface ClusterDraft {
  cluster: Cluster
  http: HttpOptions
  /** Of `metadata.filter_metadata.istio`. */
  istio: Record<string, unknown>
}

export function draft(
  name: string,
  type: NonNullable<Cluster['type']>,
  connectTimeout: number,
  stat: string = name,
): ClusterDraft {
  return {
    cluster: { name, alt_stat_name: statName(stat), type, connect_timeout: duration(connectTimeout) },
    http: {},
    istio: {},
  }
}

/** The finished cluster. Options without a protocol say HTTP/1.1: Envoy demands one. */
export function finish(given: ClusterDraft): Cluster {
  const { cluster, http, istio } = given
  if (!isEmpty(istio)) cluster.metadata = { filter_metadata: { istio } }
  const { protocol, common, maxConcurrentStreams, keepAlive, upstream, preserveCase } = http
  if (protocol === undefined && common === undefined && upstream === undefined && preserveCase !== true) return defined(cluster)
  const http1 = preserveCase === true ? { header_key_format: PRESERVE_CASE } : {}
  const http2 = defined({ max_concurrent_streams: maxConcurrentStreams, connection_keepalive: keepAlive })
  cluster.typed_extension_protocol_options = {
    [HTTP_OPTIONS]: typed(HTTP_OPTIONS, {
      common_http_protocol_options: common,
      upstream_http_protocol_options: upstream,
      ...(protocol === 'downstream'
        ? { use_downstream_protocol_config: { http_protocol_options: http1, http2_protocol_options: {} } }
        : { explicit_http_config: protocol === 'http2' ? { http2_protocol_options: http2 } : { http_protocol_options: http1 } }),
    }),
  }
  return defined(cluster)
}
