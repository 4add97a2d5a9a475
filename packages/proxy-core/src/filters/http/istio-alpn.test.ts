import { describe, expect, it } from 'vitest'
import { alpnOverride, istioAlpnFilter } from './istio-alpn.js'
import { configured, run, stream } from './testing.js'

describe('istio.alpn', () => {
  it('replaces the offer by protocol, unless the cluster forbids it', () => {
    const asked = stream()
    void run(
      configured(istioAlpnFilter, {
        alpn_override: [{ upstream_protocol: 'HTTP11', alpn_override: ['istio-http/1.1', 'istio', 'http/1.1'] }],
      }),
      asked,
    )
    expect(alpnOverride(asked.info, 'HTTP/1.1', {})).toEqual(['istio-http/1.1', 'istio', 'http/1.1'])
    expect(alpnOverride(asked.info, 'HTTP/2', {})).toBeUndefined()
    expect(alpnOverride(asked.info, 'HTTP/1.1', { istio: { alpn_override: 'false' } })).toBeUndefined()
    expect(alpnOverride(stream().info, 'HTTP/1.1', {})).toBeUndefined()
  })
})
