import type { Filter } from '@heddle/xds-types/envoy/config/listener/v3'
import type { Build } from '../build.js'
import { policiesFor } from './authorization-policies.js'
import { tcpExtAuthzFilters } from './ext-authz.js'
import { tcpRbacFilters } from './rbac.js'

/** The checks of a connection, in the order of those of a request: CUSTOM, then the others. */
export function tcpAuthorizationFilters(build: Build): Filter[] {
  const policies = policiesFor(build.snapshot, build.proxy)
  return [...tcpExtAuthzFilters(build, policies), ...tcpRbacFilters(build, policies)]
}
