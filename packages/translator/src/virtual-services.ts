import {
  delegateOf,
  type EffectiveVirtualService,
  effectiveVirtualService,
  exportedTo,
  type HTTPRoute,
  type MeshSnapshot,
  type VirtualService,
} from '@heddle/config-model'

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

/** Those that a namespace may see, oldest first. */
export function visibleVirtualServices(
  snapshot: MeshSnapshot,
  domainSuffix: string,
  namespace: string,
): readonly EffectiveVirtualService[] {
  const { defaultVirtualServiceExportTo } = snapshot.meshConfig
  return effectiveVirtualServices(snapshot, domainSuffix).filter(({ resource: { spec, metadata } }) =>
    exportedTo(spec.exportTo, defaultVirtualServiceExportTo, metadata.namespace, namespace),
  )
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

/** Every host that a VirtualService sends traffic to. */
export function destinationsOf(vs: EffectiveVirtualService): Set<string> {
  const hosts = new Set<string>()
  for (const { http } of vs.http) {
    for (const r of http.route ?? []) hosts.add(r.destination.host)
    if (http.mirror !== undefined) hosts.add(http.mirror.host)
    for (const m of http.mirrors ?? []) hosts.add(m.destination.host)
  }
  for (const { route } of [...vs.tls, ...vs.tcp]) for (const r of route) hosts.add(r.destination.host)
  return hosts
}
