import { type Collection, derive } from '@heddle/runtime'
import type { HTTPRoute } from '../kinds/http-route.js'
import type { RouteDestination, TCPRoute, TLSRoute, VirtualService } from '../kinds/virtual-service.js'
import { resolveHost } from '../names/host.js'
import { mergeDelegate } from './delegates.js'

/** A VirtualService with every short name resolved and its delegates merged in. */
export interface EffectiveVirtualService {
  readonly resource: VirtualService
  /** Lower case FQDNs or wildcards. */
  readonly hosts: readonly string[]
  /** `mesh` or `namespace/name`. */
  readonly gateways: readonly string[]
  readonly http: readonly EffectiveHttpRoute[]
  readonly tls: readonly TLSRoute[]
  readonly tcp: readonly TCPRoute[]
}

export interface EffectiveHttpRoute {
  readonly http: HTTPRoute
  /** The object that the rule stands in, a delegate perhaps, and where: `spec.http[2]`. */
  readonly source: VirtualService
  readonly path: string
}

/** The gateway name that means all sidecars. */
export const MESH_GATEWAY = 'mesh'

/** By `namespace/name`; those without hosts are only delegates and not there. A delegate rebuilds only those that name it. */
export function deriveVirtualServices(
  sources: Collection<VirtualService>,
  domainSuffix: string,
): Collection<EffectiveVirtualService> {
  return derive(
    sources,
    (resource, read) =>
      resource.spec.hosts.length === 0 ? undefined : effective(resource, domainSuffix, (key) => read.get(sources, key)),
    { name: 'catalog.virtual-services' },
  )
}

function effective(
  resource: VirtualService,
  domain: string,
  find: (key: string) => VirtualService | undefined,
): EffectiveVirtualService {
  const { namespace } = resource.metadata
  const { hosts, gateways = [], http = [], tls = [], tcp = [] } = resource.spec
  const l4 = <R extends TLSRoute | TCPRoute>(route: R): R => ({
    ...route,
    ...(route.match === undefined ? {} : { match: route.match.map((match) => withGateways(match, namespace)) }),
    ...(route.route === undefined ? {} : { route: route.route.map((one) => withDestination(one, namespace, domain)) }),
  })
  return {
    resource,
    hosts: hosts.map((host) => resolveHost(host, namespace, domain)),
    gateways: gateways.length === 0 ? [MESH_GATEWAY] : gateways.map((name) => gatewayName(name, namespace)),
    http: http.flatMap((rule, i) => httpRoutes(rule, resource, i, domain, find)),
    tls: tls.map(l4),
    tcp: tcp.map(l4),
  }
}

function httpRoutes(
  rule: HTTPRoute,
  source: VirtualService,
  index: number,
  domain: string,
  find: (key: string) => VirtualService | undefined,
): readonly EffectiveHttpRoute[] {
  const { namespace } = source.metadata
  const own = resolved(rule, namespace, domain)
  if (rule.delegate === undefined) return [{ http: own, source, path: `spec.http[${index}]` }]
  const home = rule.delegate.namespace || namespace
  const delegate = find(`${home}/${rule.delegate.name ?? ''}`)
  if (delegate === undefined) return []
  const http = (delegate.spec.http ?? []).map((child) => resolved(child, home, domain))
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

/** `mesh`, or `namespace/name` of what a VirtualService calls a gateway: `name`, `namespace/name`, `name.namespace[.svc...]`. */
export function gatewayName(name: string, namespace: string): string {
  if (name === MESH_GATEWAY) return name
  if (name.includes('/')) return name
  const [short = '', home] = name.split('.')
  return home === undefined ? `${namespace}/${name}` : `${home}/${short}`
}
