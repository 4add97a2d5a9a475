import type {
  HTTPMatchRequest,
  HTTPRoute,
  MeshSnapshot,
  RouteDestination,
  StringMatch,
  VirtualService,
} from '@heddle/config-model'
import { resolveHost } from './hosts.js'
import { visible } from './selection.js'

/** A VirtualService with every short name resolved and its delegates merged in: what routes are built from. */
export interface BoundVirtualService {
  readonly resource: VirtualService
  readonly hosts: readonly string[]
  /** `mesh` or `namespace/name`. */
  readonly gateways: readonly string[]
  readonly http: readonly BoundHttpRoute[]
  readonly tls: readonly {
    readonly match: readonly BoundL4Match[]
    readonly route: readonly RouteDestination[]
    readonly path: string
  }[]
  readonly tcp: readonly {
    readonly match: readonly BoundL4Match[]
    readonly route: readonly RouteDestination[]
    readonly path: string
  }[]
}

export interface BoundHttpRoute {
  readonly http: HTTPRoute
  /** The object that the rule stands in, a delegate perhaps, and where: `spec.http[2]`. */
  readonly source: VirtualService
  readonly path: string
}

export interface BoundL4Match {
  readonly sniHosts?: readonly string[]
  readonly destinationSubnets?: readonly string[]
  readonly port?: number
  readonly sourceLabels?: Readonly<Record<string, string>>
  readonly gateways?: readonly string[]
  readonly sourceNamespace?: string
}

export const MESH_GATEWAY = 'mesh'
export const CLUSTER_DOMAIN = 'cluster.local'

const lists = new WeakMap<readonly VirtualService[], Map<string, readonly BoundVirtualService[]>>()

/** All VirtualServices of a snapshot, oldest first, without those that are only delegates. Computed once per list: the snapshot keeps the list while nothing changed. */
export function boundVirtualServices(
  snapshot: MeshSnapshot,
  domainSuffix: string = CLUSTER_DOMAIN,
): readonly BoundVirtualService[] {
  const list = snapshot.list('VirtualService')
  const byDomain = lists.get(list) ?? new Map<string, readonly BoundVirtualService[]>()
  lists.set(list, byDomain)
  const known = byDomain.get(domainSuffix)
  if (known !== undefined) return known
  const byName = new Map(list.map((vs) => [`${vs.metadata.namespace}/${vs.metadata.name}`, vs]))
  const fresh = list.filter((vs) => vs.spec.hosts.length > 0).map((vs) => bindOnce(vs, byName, domainSuffix))
  byDomain.set(domainSuffix, fresh)
  return fresh
}

/** Those that a namespace may see, oldest first. */
export function visibleVirtualServices(
  snapshot: MeshSnapshot,
  domainSuffix: string,
  namespace: string,
): readonly BoundVirtualService[] {
  const { defaultVirtualServiceExportTo } = snapshot.meshConfig
  return boundVirtualServices(snapshot, domainSuffix).filter(({ resource: { spec, metadata } }) =>
    visible(spec.exportTo, defaultVirtualServiceExportTo, metadata.namespace, namespace),
  )
}

interface Binding {
  readonly domain: string
  readonly delegates: readonly (VirtualService | undefined)[]
  readonly bound: BoundVirtualService
}

const bindings = new WeakMap<VirtualService, Binding>()

/** The same object as long as neither the VirtualService nor a delegate of it has changed. */
function bindOnce(vs: VirtualService, byName: ReadonlyMap<string, VirtualService>, domain: string): BoundVirtualService {
  const delegates = (vs.spec.http ?? []).flatMap((http) =>
    http.delegate === undefined ? [] : [delegateOf(http, vs.metadata.namespace, byName)],
  )
  const known = bindings.get(vs)
  if (known?.domain === domain && known.delegates.every((d, i) => d === delegates[i])) return known.bound
  const bound = bind(vs, byName, domain)
  bindings.set(vs, { domain, delegates, bound })
  return bound
}

function delegateOf(
  { delegate }: HTTPRoute,
  namespace: string,
  byName: ReadonlyMap<string, VirtualService>,
): VirtualService | undefined {
  return byName.get(`${delegate?.namespace || namespace}/${delegate?.name ?? ''}`)
}

function bind(resource: VirtualService, byName: ReadonlyMap<string, VirtualService>, domain: string): BoundVirtualService {
  const { namespace } = resource.metadata
  const { spec } = resource
  const gateways =
    spec.gateways === undefined || spec.gateways.length === 0
      ? [MESH_GATEWAY]
      : spec.gateways.map((g) => gatewayName(g, namespace))
  const l4 = (match: readonly BoundL4Match[] | undefined): BoundL4Match[] =>
    (match ?? []).map((m) =>
      m.gateways === undefined ? m : { ...m, gateways: m.gateways.map((g) => gatewayName(g, namespace)) },
    )
  const routes = (list: readonly RouteDestination[] | undefined): RouteDestination[] =>
    (list ?? []).map((r) => ({
      ...r,
      destination: { ...r.destination, host: resolveHost(r.destination.host, namespace, domain) },
    }))
  return {
    resource,
    hosts: spec.hosts.map((h) => resolveHost(h, namespace, domain)),
    gateways,
    http: (spec.http ?? []).flatMap((http, i) => withDelegate(http, resource, `spec.http[${i}]`, byName, domain)),
    tls: (spec.tls ?? []).map((t, i) => ({ match: l4(t.match), route: routes(t.route), path: `spec.tls[${i}]` })),
    tcp: (spec.tcp ?? []).map((t, i) => ({ match: l4(t.match), route: routes(t.route), path: `spec.tcp[${i}]` })),
  }
}

/** A rule, or the rules of its delegate with the rule's own matches in front. One level: a delegate does not delegate. */
function withDelegate(
  http: HTTPRoute,
  source: VirtualService,
  path: string,
  byName: ReadonlyMap<string, VirtualService>,
  domain: string,
): BoundHttpRoute[] {
  if (http.delegate === undefined) return [{ http: resolveRoute(http, source.metadata.namespace, domain), source, path }]
  const delegate = delegateOf(http, source.metadata.namespace, byName)
  if (delegate === undefined || delegate.spec.hosts.length > 0) return []
  return (delegate.spec.http ?? []).flatMap((child, i) => {
    const match = mergeMatches(http.match ?? [], child.match ?? [])
    if (match === undefined) return []
    const own = resolveRoute(child, delegate.metadata.namespace, domain)
    const root = resolveRoute(http, source.metadata.namespace, domain)
    const { delegate: _, ...inherited } = root
    return [
      {
        http: { ...withoutRoute(inherited), ...own, match, ...mergedName(root, own) },
        source: delegate,
        path: `spec.http[${i}]`,
      },
    ]
  })
}

function mergedName(root: HTTPRoute, child: HTTPRoute): { name?: string } {
  const name = [root.name, child.name].filter((n) => n !== undefined && n !== '').join('-')
  return name === '' ? {} : { name }
}

// What a root rule says besides its delegate holds where the delegate is silent; its route and match do not exist.
function withoutRoute(rule: HTTPRoute): Partial<HTTPRoute> {
  const { route: _r, match: _m, name: _n, ...rest } = rule
  return rest
}

/** Each pair of a root's and a delegate's block, unless they contradict; undefined: no pair is left. */
function mergeMatches(
  roots: readonly HTTPMatchRequest[],
  children: readonly HTTPMatchRequest[],
): readonly HTTPMatchRequest[] | undefined {
  if (roots.length === 0) return children
  if (children.length === 0) return roots
  const pairs = children.map((child) => roots.filter((root) => !contradicts(root, child)).map((root) => mergeMatch(root, child)))
  return pairs.some((list) => list.length === 0) ? undefined : pairs.flat()
}

/** A delegate's block must ask for no less than the root's does. */
function contradicts(root: HTTPMatchRequest, child: HTTPMatchRequest): boolean {
  return (
    TEXTS.some((field) => textContradicts(root[field], child[field])) ||
    MAPS.some((field) =>
      Object.entries(child[field] ?? {}).some(([name, match]) => textContradicts(root[field]?.[name], match)),
    ) ||
    (root.ignoreUriCase ?? false) !== (child.ignoreUriCase ?? false) ||
    (isPort(root.port) && isPort(child.port) && root.port !== child.port) ||
    (isSome(root.sourceNamespace) && root.sourceNamespace !== child.sourceNamespace) ||
    Object.entries(child.sourceLabels ?? {}).some(([name, value]) => (root.sourceLabels?.[name] ?? value) !== value) ||
    (isSome(root.gateways) && (child.gateways ?? []).some((gateway) => root.gateways?.includes(gateway) !== true))
  )
}

const TEXTS = ['uri', 'scheme', 'method', 'authority'] as const
const MAPS = ['headers', 'withoutHeaders', 'queryParams'] as const

const isPort = (port: number | undefined): boolean => port !== undefined && port > 0
const isSome = (value: string | readonly string[] | undefined): boolean => value !== undefined && value.length > 0

function textContradicts(root: StringMatch | undefined, child: StringMatch | undefined): boolean {
  // A match by presence only.
  if (root === undefined || child === undefined || Object.keys(root).length === 0 || Object.keys(child).length === 0) return false
  if ('regex' in root) return true
  if ('regex' in child) return true
  if ('exact' in root) return !('exact' in child) || child.exact !== root.exact
  return !('exact' in child ? child.exact : child.prefix).startsWith(root.prefix)
}

function mergeMatch(root: HTTPMatchRequest, child: HTTPMatchRequest): HTTPMatchRequest {
  const name = [root.name, child.name].filter((n) => n !== undefined && n !== '').join('-')
  return {
    ...root,
    ...child,
    ...(name === '' ? {} : { name }),
    headers: { ...root.headers, ...child.headers },
    withoutHeaders: { ...root.withoutHeaders, ...child.withoutHeaders },
    queryParams: { ...root.queryParams, ...child.queryParams },
    ...(root.sourceLabels === undefined && child.sourceLabels === undefined
      ? {}
      : { sourceLabels: { ...root.sourceLabels, ...child.sourceLabels } }),
  }
}

function resolveRoute(http: HTTPRoute, namespace: string, domain: string): HTTPRoute {
  const resolve = <D extends { readonly host: string }>(d: D): D => ({
    ...d,
    host: resolveHost(d.host, namespace, domain),
  })
  return {
    ...http,
    ...(http.route === undefined ? {} : { route: http.route.map((r) => ({ ...r, destination: resolve(r.destination) })) }),
    ...(http.mirror === undefined ? {} : { mirror: resolve(http.mirror) }),
    ...(http.mirrors === undefined ? {} : { mirrors: http.mirrors.map((m) => ({ ...m, destination: resolve(m.destination) })) }),
    ...(http.match === undefined
      ? {}
      : {
          match: http.match.map((m) =>
            m.gateways === undefined ? m : { ...m, gateways: m.gateways.map((g) => gatewayName(g, namespace)) },
          ),
        }),
  }
}

/** `mesh`, or `namespace/name` of what a VirtualService calls a gateway: `name`, `./name`, `namespace/name`, `name.namespace[.svc...]`. */
export function gatewayName(name: string, namespace: string): string {
  if (name === MESH_GATEWAY) return name
  if (name.startsWith('./')) return `${namespace}/${name.slice(2)}`
  if (name.includes('/')) return name
  const [short = '', ns] = name.split('.')
  return ns === undefined ? `${namespace}/${name}` : `${ns}/${short}`
}

/** Every host that a VirtualService sends traffic to. */
export function destinationsOf(vs: BoundVirtualService): Set<string> {
  const hosts = new Set<string>()
  for (const { http } of vs.http) {
    for (const r of http.route ?? []) hosts.add(r.destination.host)
    if (http.mirror !== undefined) hosts.add(http.mirror.host)
    for (const m of http.mirrors ?? []) hosts.add(m.destination.host)
  }
  for (const { route } of [...vs.tls, ...vs.tcp]) for (const r of route) hosts.add(r.destination.host)
  return hosts
}
