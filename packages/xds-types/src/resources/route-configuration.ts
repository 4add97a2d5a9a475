import { RouteConfiguration, ScopedRouteConfiguration, VirtualHost } from '../gen/envoy/config/route/v3.js'
import { keepBytesOf } from '../kept-bytes.js'
import type { ResourceType } from '../resource-type.js'
import type { TypeRegistry } from '../types.js'
import { createResourceType } from './create.js'

/** RDS. Refers, when it has `vhds`, to all virtual hosts under its name: Envoy drops those it had with a new version of the routes. */
export function createRouteConfigurationType(registry: TypeRegistry): ResourceType<RouteConfiguration> {
  // One host changes, and a thousand others stay what they are.
  keepBytesOf(VirtualHost)
  return createResourceType<RouteConfiguration>(RouteConfiguration, registry, {
    shortName: 'RouteConfiguration',
    nameOf: (routes) => routes.name,
    references: (routes, refs) => {
      if (routes.vhds !== undefined && routes.name !== undefined) refs.add(VirtualHost.typeUrl, `${routes.name}/*`)
    },
  })
}

/** SRDS, which Envoy takes as it takes LDS: all of it, by an empty first request. Refers to the route configuration it puts in scope. */
export function createScopedRouteType(registry: TypeRegistry): ResourceType<ScopedRouteConfiguration> {
  return createResourceType<ScopedRouteConfiguration>(ScopedRouteConfiguration, registry, {
    shortName: 'ScopedRouteConfiguration',
    fullStateInSotw: true,
    nameOf: (scope) => scope.name,
    references: (scope, refs) => refs.add(RouteConfiguration.typeUrl, scope.route_configuration_name),
  })
}

/** VHDS. Names are `<route configuration>/<host>` on the wire; the message itself knows only its own. */
export function createVirtualHostType(registry: TypeRegistry): ResourceType<VirtualHost> {
  return createResourceType<VirtualHost>(VirtualHost, registry, {
    shortName: 'VirtualHost',
    onDemand: true,
    nameOf: (host) => host.name,
  })
}
