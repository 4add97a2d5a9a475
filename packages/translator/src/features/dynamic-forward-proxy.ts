import { dynamicHttpFilter, dynamicServices } from '../dynamic-dns.js'
import type { HttpFeature } from './feature.js'

/** DYNAMIC_DNS services of the port: the address of a host is found while its first request waits. */
export const dynamicForwardProxy: HttpFeature = {
  name: 'dynamic-forward-proxy',
  filters: ({ build, listener, port }) => (listener === 'outbound' ? dynamicServices(build, port).map(dynamicHttpFilter) : []),
}
