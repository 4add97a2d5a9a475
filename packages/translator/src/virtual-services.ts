import {
  type Destination,
  delegateOf,
  type EffectiveVirtualService,
  effectiveVirtualService,
  exportedTo,
  type HTTPRoute,
  type MeshSnapshot,
  type VirtualService,
} from '@heddle/config-model'
import { routeSemantics } from './semantics.js'

export const CLUSTER_DOMAIN = 'cluster.local'

const lists = new WeakMap<readonly VirtualService[], Map<string, readonly EffectiveVirtualService[]>>()

/** All VirtualServices of a snapshot, oldest first, without those that are only delegates. Computed once per list: the snapshot keeps the list while nothing changed. */
export function effectiveVirtualServices(
  snapshot: MeshSnapshot,
  domainSuffix: string = CLUSTER_DOMAIN,
): readonly EffectiveVirtualService[] {
  const list = snapshot.list('VirtualService')
  const bySettings = lists.get(list) ?? new Map<string, readonly EffectiveVirtualService[]>()
  lists.set(list, bySettings)
  const { defaultVirtualServiceExportTo } = snapshot.meshConfig
  const key = [domainSuffix, ...defaultVirtualServiceExportTo].join()
  const known = bySettings.get(key)
  if (known !== undefined) return known
  const byName = new Map(list.map((vs) => [`${vs.metadata.namespace}/${vs.metadata.name}`, vs]))
  const fresh = list
    .filter((vs) => vs.spec.hosts.length > 0)
    .map((vs) =>
      bindOnce(vs, domainSuffix, (rule) => delegateOf(vs, rule, defaultVirtualServiceExportTo, (name) => byName.get(name))),
    )
  bySettings.set(key, fresh)
  return fresh
}

/**
 * Those that a namespace may see, oldest first: its own private ones, those that others export to it by name, then the public ones, of
 * which its own routes of the Gateway API come first (`VirtualServicesForGateway` of istiod).
 */
export function visibleVirtualServices(
  snapshot: MeshSnapshot,
  domainSuffix: string,
  namespace: string,
): readonly EffectiveVirtualService[] {
  const { defaultVirtualServiceExportTo } = snapshot.meshConfig
  const groups: EffectiveVirtualService[][] = [[], [], [], []]
  for (const vs of effectiveVirtualServices(snapshot, domainSuffix)) {
    const { spec, metadata } = vs.resource
    if (!exportedTo(spec.exportTo, defaultVirtualServiceExportTo, metadata.namespace, namespace)) continue
    const exports = spec.exportTo === undefined || spec.exportTo.length === 0 ? defaultVirtualServiceExportTo : spec.exportTo
    const own = metadata.namespace === namespace
    const group = exports.includes('*') ? (own && routeSemantics(vs.resource) === 'gateway' ? 2 : 3) : own ? 0 : 1
    groups[group]?.push(vs)
  }
  return groups.flat()
}

interface Binding {
  readonly domain: string
  readonly delegates: readonly (VirtualService | undefined)[]
  readonly bound: EffectiveVirtualService
}

const bindings = new WeakMap<VirtualService, Binding>()

/** The same object as long as neither the VirtualService nor a delegate of it has changed. */
function bindOnce(
  vs: VirtualService,
  domain: string,
  find: (rule: HTTPRoute) => VirtualService | undefined,
): EffectiveVirtualService {
  const delegates = (vs.spec.http ?? []).map(find)
  const known = bindings.get(vs)
  if (known?.domain === domain && known.delegates.every((d, i) => d === delegates[i])) return known.bound
  const bound = effectiveVirtualService(vs, domain, find)
  bindings.set(vs, { domain, delegates, bound })
  return bound
}

type Destinations = ReadonlyMap<string, ReadonlySet<number>>

const destinations = new WeakMap<EffectiveVirtualService, { readonly all: Destinations; readonly bySource: boolean }>()

/** Every host that a VirtualService sends traffic to, or that of one namespace, and on which ports; 0 stands for all of them. */
export function destinationsOf(vs: EffectiveVirtualService, namespace?: string): Destinations {
  let known = destinations.get(vs)
  if (known === undefined) {
    const bySource = vs.http.some(({ http }) => http.match?.some(({ sourceNamespace = '' }) => sourceNamespace !== ''))
    destinations.set(vs, (known = { all: listDestinations(vs, undefined), bySource }))
  }
  return namespace === undefined || !known.bySource ? known.all : listDestinations(vs, namespace)
}

function listDestinations(vs: EffectiveVirtualService, namespace: string | undefined): Destinations {
  const hosts = new Map<string, Set<number>>()
  const add = ({ host, port }: Destination): void => {
    const ports = hosts.get(host) ?? new Set()
    hosts.set(host, ports.add(port?.number ?? 0))
  }
  for (const { http } of vs.http) {
    if (namespace !== undefined && !takesFrom(http, namespace)) continue
    for (const r of http.route ?? []) add(r.destination)
    if (http.mirror !== undefined) add(http.mirror)
    for (const m of http.mirrors ?? []) add(m.destination)
  }
  for (const { route } of [...vs.tls, ...vs.tcp]) for (const r of route) add(r.destination)
  return hosts
}

/** Whether no match names a source namespace, or one names this one. */
function takesFrom({ match = [] }: HTTPRoute, namespace: string): boolean {
  const named = match.map(({ sourceNamespace = '' }) => sourceNamespace).filter((source) => source !== '')
  return named.length === 0 || named.includes(namespace)
}
