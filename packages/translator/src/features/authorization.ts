import { httpRbacFilters } from '../security/rbac.js'
import type { HttpFeature } from './feature.js'

/** AuthorizationPolicy of the workload. Outbound listeners enforce nothing: the server decides. */
export const authorization: HttpFeature = {
  name: 'authorization',
  filters: ({ build, listener, tunnelled, service }) =>
    listener === 'outbound' ? [] : httpRbacFilters(build, tunnelled, service),
}
