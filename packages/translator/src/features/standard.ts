import { writtenOnce } from '@heddle/xds-types'
import type { HttpFilter } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import { typed } from '../message.js'
import { proxyHeaders } from '../proxy-headers.js'
import type { HttpFeature } from './feature.js'

/** Injects what routes ask for. */
export const fault: HttpFeature = {
  name: 'fault',
  filters: () => FAULT,
}

const FAULT = [
  writtenOnce({ name: 'envoy.filters.http.fault', typed_config: typed('envoy.extensions.filters.http.fault.v3.HTTPFault') }),
]

/** Answers preflights as routes ask for. */
export const cors: HttpFeature = {
  name: 'cors',
  filters: () => CORS,
}

const CORS = [writtenOnce({ name: 'envoy.filters.http.cors', typed_config: typed('envoy.extensions.filters.http.cors.v3.Cors') })]

/** Sends the request on. */
export const router: HttpFeature = {
  name: 'router',
  filters: ({ build, listener }) => (proxyHeaders(build.proxyConfig, listener).suppressDebugHeaders ? QUIET_ROUTER : ROUTER),
}

const ROUTER = [routerFilter({})]
const QUIET_ROUTER = [routerFilter({ suppress_envoy_headers: true })]

function routerFilter(config: object): HttpFilter {
  return writtenOnce({
    name: 'envoy.filters.http.router',
    typed_config: typed('envoy.extensions.filters.http.router.v3.Router', config),
  })
}
