import { type Collection, derive } from '@heddle/runtime'
import type { HTTPRoute } from '../kinds/http-route.js'
import type { MeshConfig } from '../kinds/types.js'
import type {
  L4MatchAttributes,
  RouteDestination,
  TCPRoute,
  TLSMatchAttributes,
  TLSRoute,
  VirtualService,
} from '../kinds/virtual-service.js'
import { resolveHost } from '../names/host.js'
import { mergeDelegate } from './delegates.js'
import { exportedTo } from './visibility.js'

/** A VirtualService with every short name resolved and its delegates merged in. */
export interface EffectiveVirtualService {
  readonly resource: VirtualService
  /** Lower case FQDNs or wildcards. */
  readonly hosts: readonly string[]
  /** `mesh` or `namespace/name`. */
  readonly gateways: readonly string[]
  readonly http: readonly EffectiveHttpRoute[]
  readonly tls: readonly EffectiveL4Route[]
  readonly tcp: readonly EffectiveL4Route[]
}

export interface EffectiveHttpRoute {
  readonly http: HTTPRoute
  /** The object that the rule stands in, a delegate perhaps, and where: `spec.http[2]`. */
  readonly source: VirtualService
  readonly path: string
}

export type EffectiveL4Match = TLSMatchAttributes & L4MatchAttributes

export interface EffectiveL4Route {
  readonly match: readonly EffectiveL4Match[]
  readonly route: readonly RouteDestination[]
  /** `spec.tls[0]` */
  readonly path: string
}

/** The gateway name that means all sidecars. */
export const MESH_GATEWAY = 'mesh'

/** By `namespace/name`; those without hosts are only delegates and not there. A delegate rebuilds only those that name it. */
export function deriveVirtualServices(
  sources: Collection<VirtualService>,
  meshConfig: Collection<MeshConfig>,
  domainSuffix: string,
): Collection<EffectiveVirtualService> {
  return derive(
    sources,
    (resource, read) => {
      if (resource.spec.hosts.length === 0) return undefined
      const exportTo = read.get(meshConfig, '')?.defaultVirtualServiceExportTo ?? []
      return effectiveVirtualService(resource, domainSuffix, (rule) =>
        delegateOf(resource, rule, exportTo, (key) => read.get(sources, key)),
      )
    },
    { name: 'catalog.virtual-services' },
  )
}

/** @param delegate see {@link delegateOf}. */
export function effectiveVirtualService(
  resource: VirtualService,
  domain: string,
  delegate: (rule: HTTPRoute) => VirtualService | undefined,
): EffectiveVirtualService {
  const { namespace } = resource.metadata
  const { hosts, gateways = [], http = [], tls = [], tcp = [] } = resource.spec
  return {
    resource,
    hosts: hosts.map((host) => resolveHost(host, namespace, domain)),
    gateways: gateways.length === 0 ? [MESH_GATEWAY] : gateways.map((name) => gatewayName(name, namespace)),
    http: http.flatMap((rule, i) => httpRoutes(rule, resource, i, domain, delegate(rule))),
    tls: tls.map((route, i) => l4Route(route, `spec.tls[${i}]`, namespace, domain)),
    tcp: tcp.map((route, i) => l4Route(route, `spec.tcp[${i}]`, namespace, domain)),
  }
}

function l4Route(
  { match = [], route = [] }: TLSRoute | TCPRoute,
  path: string,
  namespace: string,
  domain: string,
): EffectiveL4Route {
  return {
    match: match.map((one) => withGateways(one, namespace)),
    route: route.map((one) => withDestination(one, namespace, domain)),
    path,
  }
}

/**
 * The VirtualService that a rule delegates to, if there is one and it is exported to the root's namespace.
 * @param fallback MeshConfig.defaultVirtualServiceExportTo
 * @param find a VirtualService by `namespace/name`
 */
export function delegateOf(
  { metadata: { namespace } }: VirtualService,
  { delegate }: HTTPRoute,
  fallback: readonly string[],
  find: (key: string) => VirtualService | undefined,
): VirtualService | undefined {
  if (delegate === undefined) return undefined
  const found = find(`${delegate.namespace || namespace}/${delegate.name ?? ''}`)
  if (found === undefined || found.spec.hosts.length > 0) return undefined
  return exportedTo(found.spec.exportTo, fallback, found.metadata.namespace, namespace) ? found : undefined
}

function httpRoutes(
  rule: HTTPRoute,
  source: VirtualService,
  index: number,
  domain: string,
  delegate: VirtualService | undefined,
): readonly EffectiveHttpRoute[] {
  const { namespace } = source.metadata
  const own = resolved(rule, namespace, domain)
  if (rule.delegate === undefined) return [{ http: own, source, path: `spec.http[${index}]` }]
  if (delegate === undefined) return []
  const http = (delegate.spec.http ?? []).map((child) => resolved(child, delegate.metadata.namespace, domain))
  const merged = mergeDelegate(own, { ...delegate, spec: { ...delegate.spec, http } })
  return merged.map((one) => ({ http: one.rule, source: delegate, path: `spec.http[${one.index}]` }))
}

function resolved(http: HTTPRoute, namespace: string, domain: string): HTTPRoute {
  const { route, mirror, mirrors, match } = http
  return {
    ...http,
    ...(route === undefined ? {} : { route: route.map((one) => withDestination(one, namespace, domain)) }),
    ...(mirror === undefined ? {} : { mirror: withHost(mirror, namespace, domain) }),
    ...(mirrors === undefined ? {} : { mirrors: mirrors.map((one) => withDestination(one, namespace, domain)) }),
    ...(match === undefined ? {} : { match: match.map((one) => withGateways(one, namespace)) }),
  }
}

function withDestination<R extends Pick<RouteDestination, 'destination'>>(route: R, namespace: string, domain: string): R {
  return { ...route, destination: withHost(route.destination, namespace, domain) }
}

function withHost<D extends { readonly host: string }>(destination: D, namespace: string, domain: string): D {
  return { ...destination, host: resolveHost(destination.host, namespace, domain) }
}

function withGateways<M extends { readonly gateways?: readonly string[] }>(match: M, namespace: string): M {
  const { gateways } = match
  return gateways === undefined ? match : { ...match, gateways: gateways.map((name) => gatewayName(name, namespace)) }
}

/** `mesh`, or `namespace/name` of what a VirtualService calls a gateway: `name`, `./name`, `namespace/name`, `name.namespace[.svc...]`. */
export function gatewayName(name: string, namespace: string): string {
  if (name === MESH_GATEWAY) return name
  if (name.startsWith('./')) return `${namespace}/${name.slice(2)}`
  if (name.includes('/')) return name
  const [short = '', home] = name.split('.')
  return home === undefined ? `${namespace}/${name}` : `${home}/${short}`
}
