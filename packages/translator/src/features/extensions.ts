import { httpExtensions } from '../traffic-extensions/filters.js'
import type { Phase } from '../traffic-extensions/selection.js'
import type { HttpFeature } from './feature.js'

function extensions(name: string, phase: Phase): HttpFeature {
  return { name, filters: ({ build, listener, port }) => httpExtensions(build, listener, port, phase) }
}

/** The user's own code (TrafficExtension, WasmPlugin) at the place that it asks for. */
export const authnExtensions: HttpFeature = extensions('authn-extensions', 'AUTHN')
export const authzExtensions: HttpFeature = extensions('authz-extensions', 'AUTHZ')
export const statsExtensions: HttpFeature = exceptOnWaypoints(extensions('stats-extensions', 'STATS'))
export const otherExtensions: HttpFeature = exceptOnWaypoints(extensions('extensions', 'UNSPECIFIED'))

/** The late ones on a waypoint. */
export const waypointExtensions: HttpFeature = {
  name: 'waypoint-extensions',
  filters: ({ build, listener, port }) =>
    build.proxy.type === 'waypoint'
      ? [...httpExtensions(build, listener, port, 'STATS'), ...httpExtensions(build, listener, port, 'UNSPECIFIED')]
      : [],
}

function exceptOnWaypoints(feature: HttpFeature): HttpFeature {
  return { ...feature, filters: (scope) => (scope.build.proxy.type === 'waypoint' ? [] : feature.filters(scope)) }
}
