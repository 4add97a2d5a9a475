import { writtenOnce } from '@heddle/xds-types'
import { typed } from '../message.js'
import type { HttpFeature } from './feature.js'

/** Tells the server by ALPN which protocol is inside mTLS, so that its listener need not look. */
export const alpn: HttpFeature = {
  name: 'alpn',
  filters: ({ build, listener }) => (listener === 'inbound' || build.proxy.stockEnvoy || !build.features.alpnFilter ? [] : ALPN),
}

const ALPN = [
  writtenOnce({
    name: 'istio.alpn',
    typed_config: typed('istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig', {
      alpn_override: [
        { alpn_override: ['istio-http/1.0', 'istio', 'http/1.0'] },
        { upstream_protocol: 'HTTP11', alpn_override: ['istio-http/1.1', 'istio', 'http/1.1'] },
        { upstream_protocol: 'HTTP2', alpn_override: ['istio-h2', 'istio', 'h2'] },
      ],
    }),
  }),
]
