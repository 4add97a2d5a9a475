import { jwtFilters } from '../security/jwt.js'
import type { HttpFeature } from './feature.js'

/** RequestAuthentication of the workload: a token that is there must be good. */
export const jwt: HttpFeature = {
  name: 'jwt',
  filters: ({ build, listener, service }) => (listener === 'outbound' ? [] : jwtFilters(build, service)),
}
