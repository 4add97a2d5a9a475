import { httpExtensions } from '../traffic-extensions/filters.js'
import type { Phase } from '../traffic-extensions/selection.js'
import type { HttpFeature } from './feature.js'

function extensions(name: string, phase: Phase): HttpFeature {
  return { name, filters: ({ build, listener, port }) => httpExtensions(build, listener, port, phase) }
}

/** The user's own code (TrafficExtension, WasmPlugin) at the place that it asks for. */
export const authnExtensions: HttpFeature = extensions('authn-extensions', 'AUTHN')
export const authzExtensions: HttpFeature = extensions('authz-extensions', 'AUTHZ')
export const statsExtensions: HttpFeature = extensions('stats-extensions', 'STATS')
export const otherExtensions: HttpFeature = extensions('extensions', 'UNSPECIFIED')
