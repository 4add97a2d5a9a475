import { policiesFor } from '../security/authorization-policies.js'
import { httpExtAuthzFilters } from '../security/ext-authz.js'
import type { HttpFeature } from './feature.js'

/** AuthorizationPolicy with action CUSTOM: somebody else decides. */
export const extAuthz: HttpFeature = {
  name: 'ext-authz',
  filters: ({ build, listener, tunnelled, service }) =>
    listener === 'outbound' ? [] : httpExtAuthzFilters(build, policiesFor(build, service), tunnelled),
}
