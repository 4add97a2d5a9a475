import type { EnvoyFilterContext } from '@heddle/config-model'
import type { Route, RouteConfiguration, VirtualHost } from '@heddle/xds-types/envoy/config/route/v3'
import {
  RouteConfiguration as RouteConfigurationType,
  Route as RouteType,
  VirtualHost as VirtualHostType,
} from '@heddle/xds-types/envoy/config/route/v3'
import type { Build } from '../build.js'
import { parseClusterName } from '../names.js'
import { added, merged, touched } from './apply.js'
import { editList, merges } from './edit-list.js'
import { type Patch, patchesOf } from './envoy-filters.js'

interface RoutePatches {
  readonly build: Build
  readonly configuration: readonly Patch[]
  readonly hosts: readonly Patch[]
  readonly routes: readonly Patch[]
}

/** Of a gateway: the ports of its servers by the port that the pod listens on. */
export type ServerPorts = ReadonlyMap<number, ReadonlySet<number>>

/** Route configurations after ROUTE_CONFIGURATION, VIRTUAL_HOST and HTTP_ROUTE patches. */
export function patchedRoutes(
  build: Build,
  context: EnvoyFilterContext,
  list: readonly RouteConfiguration[],
  serverPorts: ServerPorts = new Map(),
): readonly RouteConfiguration[] {
  const all = patchesOf(build)
  if (all.empty) return list
  const [configuration, hosts, routes] = [
    all.of('ROUTE_CONFIGURATION', context),
    all.of('VIRTUAL_HOST', context),
    all.of('HTTP_ROUTE', context),
  ]
  if (configuration.length + hosts.length + routes.length === 0) return list
  return list.map((one) => {
    const name = one.name ?? ''
    const here = (patch: Patch): boolean => configurationMatches(name, context, patch, serverPorts)
    return patchedConfiguration(one, {
      build,
      configuration: configuration.filter(here),
      hosts: hosts.filter(here),
      routes: routes.filter(here),
    })
  })
}

function configurationMatches(name: string, context: EnvoyFilterContext, { match }: Patch, serverPorts: ServerPorts): boolean {
  const wanted = match.routeConfiguration
  if (wanted === undefined) return true
  if (isSome(wanted.name) && wanted.name !== name) return false
  if (context !== 'GATEWAY') return isNone(wanted.portNumber) || wanted.portNumber === sidecarPort(name)
  const { port, portName, gateway } = gatewayName(name)
  if (isSome(wanted.portName) && wanted.portName !== portName) return false
  if (isSome(wanted.gateway) && wanted.gateway !== gateway) return false
  if (isNone(wanted.portNumber)) return true
  const servers = serverPorts.get(port)
  return servers === undefined ? wanted.portNumber === port : servers.has(wanted.portNumber ?? 0)
}

const isSome = (text: string | undefined): boolean => text !== undefined && text !== ''
const isNone = (port: number | undefined): boolean => port === undefined || port === 0

function sidecarPort(name: string): number {
  const port = name.startsWith('inbound') ? parseClusterName(name)?.port : Number(name)
  return port === undefined || Number.isNaN(port) ? 0 : port
}

/** `http.8080`, `https.443.https.gateway.namespace`. */
function gatewayName(name: string): { port: number; portName: string; gateway: string } {
  const [kind, port = '', portName = '', gateway = '', namespace = ''] = name.split('.')
  return kind === 'https'
    ? { port: Number(port), portName, gateway: `${namespace}/${gateway}` }
    : { port: Number(port), portName: '', gateway: '' }
}

function patchedConfiguration(given: RouteConfiguration, patches: RoutePatches): RouteConfiguration {
  const { build } = patches
  let out = given
  for (const patch of patches.configuration) out = merged(build, RouteConfigurationType, out, patch)
  const hosts = (out.virtual_hosts ?? []).flatMap((host) => patchedHost(host, patches) ?? [])
  const own = patches.hosts.filter(({ operation }) => operation === 'ADD')
  const next = [...hosts, ...own.map((patch) => added<VirtualHost>(build, patch))]
  const same = next.length === (out.virtual_hosts ?? []).length && next.every((host, i) => host === out.virtual_hosts?.[i])
  return same ? out : build.origins.copy(out, { ...out, virtual_hosts: next })
}

function patchedHost(given: VirtualHost, patches: RoutePatches): VirtualHost | undefined {
  const { build } = patches
  let host = given
  for (const patch of patches.hosts) {
    if (!hostMatches(host, patch)) continue
    if (patch.operation === 'REMOVE') return undefined
    if (patch.operation === 'REPLACE') host = added<VirtualHost>(build, patch)
    else host = merged(build, VirtualHostType, host, patch)
  }
  return withRoutes(host, patches)
}

function hostMatches(host: VirtualHost, { match }: Patch): boolean {
  const wanted = match.routeConfiguration?.vhost
  if (wanted === undefined) return true
  if (isSome(wanted.name) && wanted.name !== host.name) return false
  return !isSome(wanted.domainName) || (host.domains ?? []).includes(wanted.domainName ?? '')
}

function withRoutes(host: VirtualHost, { build, routes: all }: RoutePatches): VirtualHost {
  const patches = all.filter((patch) => hostMatches(host, patch))
  if (patches.length === 0) return host
  let routes: readonly Route[] = (host.routes ?? []).flatMap((route) => patchedRoute(build, route, patches) ?? [])
  for (const patch of patches) {
    const named = patch.match.routeConfiguration?.vhost?.route !== undefined
    if (patch.operation === 'REMOVE' || merges(patch) || patch.operation === 'REPLACE') continue
    // First means first, but only where the route that is named exists.
    if (patch.operation === 'INSERT_FIRST' && named && !routes.some((r) => routeMatches(r, patch))) continue
    routes = editList(routes, { ...patch, value: added(build, patch) }, named, (route) => routeMatches(route, patch))
  }
  const [first] = patches
  const { routes: _, ...rest } = host
  return first === undefined ? host : touched(build, host, routes.length === 0 ? rest : { ...rest, routes }, first)
}

function patchedRoute(build: Build, given: Route, patches: readonly Patch[]): Route | undefined {
  let route = given
  for (const patch of patches) {
    if (!routeMatches(route, patch)) continue
    if (patch.operation === 'REMOVE') return undefined
    route = merged(build, RouteType, route, patch)
  }
  return route
}

function routeMatches(route: Route, { match }: Patch): boolean {
  const wanted = match.routeConfiguration?.vhost?.route
  if (wanted === undefined) return true
  if (isSome(wanted.name) && wanted.name !== route.name) return false
  switch (wanted.action) {
    case 'ROUTE':
      return route.redirect === undefined && route.direct_response === undefined
    case 'REDIRECT':
      return route.route === undefined && route.direct_response === undefined
    case 'DIRECT_RESPONSE':
      return route.route === undefined && route.redirect === undefined
    default:
      return true
  }
}
