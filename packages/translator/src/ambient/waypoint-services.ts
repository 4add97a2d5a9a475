import type { EffectiveVirtualService, MeshService } from '@heddle/config-model'
import type { Build } from '../build.js'
import { hostSubsetOf } from '../hosts.js'
import { gatewayNameOf } from '../policy-targets.js'
import { providerServices } from '../service-lookup.js'
import { destinationsOf } from '../virtual-services.js'

const USE_WAYPOINT = 'istio.io/use-waypoint'
const USE_WAYPOINT_NAMESPACE = 'istio.io/use-waypoint-namespace'
const WAYPOINT_FOR = 'istio.io/waypoint-for'
const MANAGED = 'gateway.istio.io/managed'

type Texts = Readonly<Record<string, string>>

/** What a waypoint stands in front of: services, workloads, or both (label istio.io/waypoint-for of its Gateway; default services). */
export function waypointFor(build: Build): { readonly services: boolean; readonly workloads: boolean } {
  const name = gatewayNameOf(build.proxy)
  const gateway = build.snapshot
    .list('KubernetesGateway')
    .find(({ metadata }) => metadata.name === name && metadata.namespace === build.proxy.namespace)
  const traffic = gateway?.metadata.labels[WAYPOINT_FOR] ?? 'service'
  return { services: traffic === 'service' || traffic === 'all', workloads: traffic === 'workload' || traffic === 'all' }
}

/** The services that say (or whose namespace says) that they use this waypoint. */
export function waypointServices(build: Build): readonly MeshService[] {
  return build.memo.of('waypoint services', [], () => {
    if (!waypointFor(build).services) return []
    const uses = usersOf(build)
    return build.view.services.filter((service) => uses(service.namespace, service.labels))
  })
}

/** Addresses of pods that say (or whose namespace says) that they use this waypoint. */
export function waypointWorkloads(build: Build): readonly string[] {
  if (!waypointFor(build).workloads) return []
  const uses = usersOf(build)
  return build.snapshot
    .list('Pod')
    .filter(({ metadata }) => uses(metadata.namespace, metadata.labels))
    .flatMap(({ status }) => status?.podIP ?? [])
    .sort()
}

/** Services that routes of the services behind the waypoint lead to, or that the mesh's providers are: the only ones that it calls as a client. */
export function outsideServices(build: Build): readonly MeshService[] {
  const behind = new Set(waypointServices(build).map(({ hostname }) => hostname))
  const wanted = new Set(
    waypointServices(build).flatMap((service) => {
      const vs = routesOf(build, service)
      return vs === undefined ? [] : [...destinationsOf(vs).keys()]
    }),
  )
  for (const service of providerServices(build.mesh)) wanted.add(service.slice(service.indexOf('/') + 1))
  return build.view.services.filter(({ hostname }) => wanted.has(hostname) && !behind.has(hostname))
}

/** The VirtualService of a service: of its own namespace or the waypoint's, the oldest. */
export function routesOf(build: Build, service: MeshService): EffectiveVirtualService | undefined {
  return build.view.egress
    .flatMap(({ virtualServices }) => virtualServices)
    .find(
      ({ hosts, resource: { metadata } }) =>
        (metadata.namespace === service.namespace || metadata.namespace === build.proxy.namespace) &&
        hosts.some((host) => host === service.hostname || hostSubsetOf(service.hostname, host)),
    )
}

/** Whether something of a namespace, with these labels, uses this waypoint. Waypoints use none. */
function usersOf(build: Build): (namespace: string, labels: Texts) => boolean {
  const name = gatewayNameOf(build.proxy)
  const byNamespace = new Map(build.snapshot.list('Namespace').map(({ metadata }) => [metadata.name, metadata.labels]))
  return (namespace, labels) => {
    if (name === undefined || labels[MANAGED] === 'istio.io-mesh-controller') return false
    const said = USE_WAYPOINT in labels ? labels : (byNamespace.get(namespace) ?? {})
    return said[USE_WAYPOINT] === name && (said[USE_WAYPOINT_NAMESPACE] ?? namespace) === build.proxy.namespace
  }
}
