import { type Collection, type Diagnostic, derive, index } from '@heddle/runtime'
import { ageOf, compareAge } from '../age.js'
import type { MeshConfig } from '../kinds/mesh-config.js'
import { keyOf } from '../resource.js'
import { type EffectiveHttpRoute, type EffectiveVirtualService, MESH_GATEWAY } from './virtual-services.js'
import { exportedTo, seenTogether } from './visibility.js'

/** The VirtualServices of one host, the oldest first. */
export interface VirtualHost {
  readonly host: string
  readonly virtualServices: readonly EffectiveVirtualService[]
}

/**
 * What sidecars do with several VirtualServices of one host. `oldest`: the oldest alone counts, as in Istio. `merge`: the rules of all count, those of
 * the oldest first, rules that match everything last; so any order of creation gives a whole route table (istio/istio#22997).
 */
export type SidecarHostPolicy = 'oldest' | 'merge'

export interface VirtualHosts {
  /** By host: those that sidecars follow (gateway `mesh`). */
  readonly sidecar: Collection<VirtualHost>
  /** By `gatewayNamespace/gatewayName host`. Gateways merge the VirtualServices of a host. */
  readonly gateway: Collection<VirtualHost>
  /** By host: a warning for each VirtualService that sidecars leave out of it. Empty with `merge`. */
  readonly losers: Collection<readonly Diagnostic[]>
}

export interface VirtualHostOptions {
  readonly virtualServices: Collection<EffectiveVirtualService>
  /** One value under the key ''. */
  readonly meshConfig: Collection<MeshConfig>
  readonly policy: SidecarHostPolicy
}

export function deriveVirtualHosts({ virtualServices, meshConfig, policy }: VirtualHostOptions): VirtualHosts {
  const ofSidecars = index(virtualServices, (one) => (one.gateways.includes(MESH_GATEWAY) ? one.hosts : undefined), {
    name: 'catalog.virtual-services.by-host',
  })
  const ofGateways = index(
    virtualServices,
    ({ gateways, hosts }) =>
      gateways.filter((name) => name !== MESH_GATEWAY).flatMap((name) => hosts.map((host) => `${name} ${host}`)),
    { name: 'catalog.virtual-services.by-gateway' },
  )
  const sidecar = derive(ofSidecars, (group, _read, host) => ({ host, virtualServices: byAge(group) }), {
    name: 'catalog.virtual-hosts.sidecar',
  })
  const gateway = derive(
    ofGateways,
    (group, _read, key) => ({ host: key.slice(key.indexOf(' ') + 1), virtualServices: byAge(group) }),
    { name: 'catalog.virtual-hosts.gateway' },
  )
  const losers = derive(
    sidecar,
    (host, read) => {
      if (policy === 'merge' || host.virtualServices.length < 2) return undefined
      const found = losersOf(host, read.get(meshConfig, '')?.defaultVirtualServiceExportTo ?? [])
      return found.length === 0 ? undefined : found
    },
    { name: 'catalog.virtual-hosts.losers' },
  )
  return { sidecar, gateway, losers }
}

/** The HTTP rules that sidecars of a namespace follow for a host, in order. `fallback` is MeshConfig.defaultVirtualServiceExportTo. */
export function sidecarRules(
  { virtualServices }: VirtualHost,
  namespace: string,
  fallback: readonly string[],
  policy: SidecarHostPolicy,
): readonly EffectiveHttpRoute[] {
  const seen = virtualServices.filter(({ resource: { metadata, spec } }) =>
    exportedTo(spec.exportTo, fallback, metadata.namespace, namespace),
  )
  return policy === 'oldest' ? (seen[0]?.http ?? []) : mergedRules(seen)
}

/** The rules of all, the oldest's first; rules that match everything go to the end, where the oldest of them answers. */
export function mergedRules(virtualServices: readonly Pick<EffectiveVirtualService, 'http'>[]): readonly EffectiveHttpRoute[] {
  const all = virtualServices.flatMap(({ http }) => http)
  return [...all.filter((route) => !matchesAll(route)), ...all.filter(matchesAll)]
}

function matchesAll({ http: { match = [] } }: EffectiveHttpRoute): boolean {
  return match.length === 0 || match.some((one) => Object.keys(one).every((key) => key === 'name' || isRoot(one, key)))
}

function isRoot(match: { readonly uri?: unknown }, key: string): boolean {
  return key === 'uri' && (match.uri as { prefix?: string }).prefix === '/'
}

function losersOf({ host, virtualServices }: VirtualHost, fallback: readonly string[]): readonly Diagnostic[] {
  return virtualServices.flatMap(({ resource }, i): Diagnostic[] => {
    const winner = virtualServices
      .slice(0, i)
      .find(({ resource: { metadata, spec } }) =>
        seenTogether(spec.exportTo, metadata.namespace, resource.spec.exportTo, resource.metadata.namespace, fallback),
      )
    if (winner === undefined) return []
    const message = `sidecars do not follow it for ${host}: ${keyOf(winner.resource)} is older and counts alone; move its rules there, or let the store merge them (sidecarHosts: 'merge')`
    return [{ code: 'config.host_taken', severity: 'warning', subject: keyOf(resource), path: 'spec.hosts', message }]
  })
}

function byAge(group: readonly EffectiveVirtualService[]): readonly EffectiveVirtualService[] {
  return [...group].sort((a, b) => compareAge(ageOf(a.resource.metadata), ageOf(b.resource.metadata)))
}
