import type { MeshService } from '@heddle/config-model'
import type { Filter } from '@heddle/xds-types/envoy/config/listener/v3'
import type { Build } from '../build.js'
import type { ListenerClass } from '../proxy-headers.js'
import { networkExtensions } from '../traffic-extensions/filters.js'
import type { Phase } from '../traffic-extensions/selection.js'
import { policiesFor } from './authorization-policies.js'
import { tcpExtAuthzFilters } from './ext-authz.js'
import { tcpRbacFilters } from './rbac.js'

/** The checks of a connection, in the order of those of a request: CUSTOM, then the others; the user's own code around them. `port`: see {@link networkExtensions}. */
export function tcpAuthorizationFilters(
  build: Build,
  listener: ListenerClass,
  port: number,
  tunnelled = false,
  service?: MeshService,
): Filter[] {
  const policies = policiesFor(build, service)
  const extensions = (phase: Phase): readonly Filter[] => networkExtensions(build, listener, port, phase)
  return [
    ...tcpExtAuthzFilters(build, policies, tunnelled),
    ...extensions('AUTHN'),
    ...extensions('AUTHZ'),
    ...tcpRbacFilters(build, tunnelled, service),
    ...extensions('STATS'),
    ...extensions('UNSPECIFIED'),
  ]
}
