import { type Collection, derive, index } from '@heddle/runtime'
import { compareText } from '../sorted-list.js'
import type { MeshService } from './service.js'
import { exportedTo } from './visibility.js'

/** The services of one hostname in all namespaces: Kubernetes' before others, the older before the younger. */
export interface HostServices {
  readonly hostname: string
  readonly services: readonly MeshService[]
}

/** By hostname. */
export function deriveHosts(services: Collection<MeshService>): Collection<HostServices> {
  const byHost = index(services, ({ hostname }) => hostname, { name: 'catalog.services.by-host' })
  return derive(byHost, (group, _read, hostname) => ({ hostname, services: [...group].sort(compareServices) }), {
    name: 'catalog.hosts',
  })
}

/** The one service that proxies of a namespace mean by a hostname: their own namespace's first. `fallback` is MeshConfig.defaultServiceExportTo. */
export function serviceFor(
  host: HostServices | undefined,
  namespace: string,
  fallback: readonly string[],
): MeshService | undefined {
  const seen = (host?.services ?? []).filter((one) => exportedTo(one.exportTo, fallback, one.namespace, namespace))
  return seen.find((one) => one.namespace === namespace) ?? seen[0]
}

function compareServices(a: MeshService, b: MeshService): number {
  return (
    Number(a.registry !== 'Kubernetes') - Number(b.registry !== 'Kubernetes') ||
    compareText(a.createdAt, b.createdAt) ||
    compareText(a.namespace, b.namespace)
  )
}
