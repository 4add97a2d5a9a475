import type { FilterConfig } from '@heddle/xds-types/istio/envoy/config/filter/http/alpn/v2alpha1'
import { compileMessage } from '../../config/fields.js'
import type { HttpFilterFactory } from '../../http/filter.js'
import type { StreamInfo } from '../../http/stream-info.js'

type UpstreamProtocol = 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2'
type AlpnConfig = ReadonlyMap<UpstreamProtocol, readonly string[]>

const PROTOCOLS = { HTTP10: 'HTTP/1.0', HTTP11: 'HTTP/1.1', HTTP2: 'HTTP/2' } as const

/** istio.alpn: tells the upstream TLS which ALPN to offer, so that the other sidecar knows mesh traffic by `istio-http/1.1` and its kin. */
export const istioAlpnFilter: HttpFilterFactory<AlpnConfig> = {
  typeNames: ['istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig'],
  decode: (config, path) =>
    compileMessage(config as FilterConfig, path, (fields) => {
      const overrides = new Map<UpstreamProtocol, readonly string[]>()
      for (const each of fields.messages('alpn_override')) {
        overrides.set(
          PROTOCOLS[each.choice('upstream_protocol', ['HTTP10', 'HTTP11', 'HTTP2'], 'HTTP10')],
          each.strings('alpn_override'),
        )
        each.done()
      }
      fields.done()
      return overrides
    }),
  create: (config) => (stream) => ({
    onRequest: () => {
      stream.info.alpnOverrides = config
    },
  }),
}

/**
 * The ALPN protocols to offer for a request instead of the cluster's own; undefined: the cluster's own. Clusters with
 * `istio` metadata `alpn_override: "false"` keep theirs.
 */
export function alpnOverride(
  info: StreamInfo,
  protocol: UpstreamProtocol,
  clusterMetadata: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): readonly string[] | undefined {
  if (info.alpnOverrides === undefined || clusterMetadata['istio']?.['alpn_override'] === 'false') return undefined
  return info.alpnOverrides.get(protocol)
}
