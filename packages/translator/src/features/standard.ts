import { typed } from '../message.js'
import { proxyHeaders } from '../proxy-headers.js'
import type { HttpFeature } from './feature.js'

/** Injects what routes ask for. */
export const fault: HttpFeature = {
  name: 'fault',
  filters: () => [{ name: 'envoy.filters.http.fault', typed_config: typed('envoy.extensions.filters.http.fault.v3.HTTPFault') }],
}

/** Answers preflights as routes ask for. */
export const cors: HttpFeature = {
  name: 'cors',
  filters: () => [{ name: 'envoy.filters.http.cors', typed_config: typed('envoy.extensions.filters.http.cors.v3.Cors') }],
}

/** Sends the request on. */
export const router: HttpFeature = {
  name: 'router',
  filters: ({ build, listener }) => {
    const quiet = proxyHeaders(build.proxyConfig, listener).suppressDebugHeaders
    const config = quiet ? { suppress_envoy_headers: true } : {}
    return [{ name: 'envoy.filters.http.router', typed_config: typed('envoy.extensions.filters.http.router.v3.Router', config) }]
  },
}
