import { exportedTo, type MeshService, type MeshSnapshot, type ServicePort } from '@heddle/config-model'

/** Services that a namespace may see, oldest first: of two with one hostname, that of the own namespace, then the older. */
export function visibleServices(snapshot: MeshSnapshot, namespace: string): readonly MeshService[] {
  const seen = new Map<string, MeshService>()
  const { defaultServiceExportTo } = snapshot.meshConfig
  for (const service of byAge(snapshot.services)) {
    if (!exportedTo(service.exportTo, defaultServiceExportTo, service.namespace, namespace)) continue
    const other = seen.get(service.hostname)
    if (other === undefined) seen.set(service.hostname, service)
    else if (other.namespace === service.namespace)
      seen.set(service.hostname, { ...other, ports: mergePorts(other.ports, service.ports) })
    else if (
      service.namespace === namespace ||
      (other.namespace !== namespace && other.registry !== 'Kubernetes' && service.registry === 'Kubernetes')
    )
      seen.set(service.hostname, service)
  }
  return [...seen.values()]
}

/** The ports of both; of two with one number the first. */
export function mergePorts(one: readonly ServicePort[], other: readonly ServicePort[]): ServicePort[] {
  return [...one, ...other.filter((p) => !one.some((q) => q.number === p.number))]
}

const aged = new WeakMap<readonly MeshService[], readonly MeshService[]>()

/** Oldest first; of one age by name, then namespace. Sorted once per list. */
export function byAge(services: readonly MeshService[]): readonly MeshService[] {
  const known = aged.get(services)
  if (known !== undefined) return known
  const keyed = services.map((service) => ({ service, ...ageOf(service) }))
  keyed.sort(compareAge)
  const sorted = keyed.map(({ service }) => service)
  aged.set(services, sorted)
  return sorted
}

/** A few services in the order of `byAge`. */
export function sortedByAge(services: Iterable<MeshService>): readonly MeshService[] {
  const keyed = [...services].map((service) => ({ service, ...ageOf(service) }))
  return keyed.sort((a, b) => compareAge(a, b) || compareHosts(a.service, b.service)).map(({ service }) => service)
}

function compareHosts(a: MeshService, b: MeshService): number {
  return a.hostname < b.hostname ? -1 : a.hostname > b.hostname ? 1 : 0
}

interface Age {
  readonly age: number
  readonly name: string
}

function ageOf({ createdAt, name, namespace }: MeshService): Age {
  return { age: createdAt === '' ? 0 : Date.parse(createdAt), name: `${name}.${namespace}` }
}

function compareAge(a: Age, b: Age): number {
  return a.age - b.age || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
}
