import { dynamicHttpFilter, dynamicServices } from '../dynamic-dns.js'
import { allowsDynamicDns, dynamicDnsFilter } from '../egress-dns.js'
import type { HttpFeature } from './feature.js'

/** DYNAMIC_DNS services of the port: the address of a host is found while its first request waits. */
export const dynamicForwardProxy: HttpFeature = {
  name: 'dynamic-forward-proxy',
  filters: ({ build, listener, port }) => {
    if (listener !== 'outbound') return []
    const services = dynamicServices(build, port).map((service) => dynamicHttpFilter(build, service))
    return allowsDynamicDns(build) ? [...services, dynamicDnsFilter(build)] : services
  },
}
