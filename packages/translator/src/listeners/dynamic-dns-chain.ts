import type { FilterChain } from '@heddle/xds-types/envoy/config/listener/v3'
import type { Build } from '../build.js'
import { DYNAMIC_DNS_ROUTE, dynamicDnsHost } from '../egress-dns.js'
import { statName, VIRTUAL_OUTBOUND } from '../names.js'
import { proxyHeaders } from '../proxy-headers.js'
import { configuration } from '../routes/outbound.js'
import { plainHttpAlpn } from './filter-chain-match.js'
import { httpManager } from './http-manager.js'

/** The chain of virtualOutbound for what looks like plaintext HTTP. */
export function dynamicDnsChain(build: Build): FilterChain {
  const { attemptCount } = proxyHeaders(build.proxyConfig, 'outbound')
  const manager = httpManager(build, {
    listener: 'outbound',
    statPrefix: statName(`outbound_${VIRTUAL_OUTBOUND}_${DYNAMIC_DNS_ROUTE}`),
    routes: configuration(DYNAMIC_DNS_ROUTE, [dynamicDnsHost(attemptCount ? { include_request_attempt_count: true } : {})]),
    port: 0,
    protocol: 'HTTP',
  })
  return {
    name: 'virtualOutbound-catchall-tcp-http',
    filter_chain_match: { application_protocols: [...plainHttpAlpn(build)] },
    filters: [manager],
  }
}
