import type { MeshService, MeshSnapshot, ServiceEndpoint, ServicePort } from '@heddle/config-model'
import type { ProxyDescriptor } from './proxy.js'
import { isEmpty, selects } from './selection.js'
import { byAge } from './view.js'

/** A service port that a proxy's own workload serves, and the port that the workload listens on. */
export interface ServiceTarget {
  readonly service: MeshService
  readonly port: ServicePort
  readonly targetPort: number
  /** Where the workload is, as the endpoint says. */
  readonly locality: string
}

/**
 * The services that a proxy stands in front of, the oldest first: those with an endpoint at the proxy's address whose labels are the proxy's.
 * Workloads that share one address (many processes on 127.0.0.1) are told apart by their labels: of several label sets that fit, the equal one.
 */
export function serviceTargets(snapshot: MeshSnapshot, proxy: ProxyDescriptor): readonly ServiceTarget[] {
  const found: { target: ServiceTarget; endpoint: ServiceEndpoint }[] = []
  for (const service of byAge(snapshot.services)) {
    for (const port of service.ports) {
      for (const endpoint of snapshot.endpoints(service, port.name)) {
        if (
          !proxy.addresses.includes(endpoint.address) ||
          endpoint.namespace !== proxy.namespace ||
          !selects(endpoint.labels, proxy.labels)
        )
          continue
        found.push({ target: { service, port, targetPort: endpoint.port, locality: endpoint.locality }, endpoint })
      }
    }
  }
  const labelled = found.filter(({ endpoint }) => !isEmpty(endpoint.labels))
  const shared = new Set(labelled.map(({ endpoint }) => keyOf(endpoint.labels))).size > 1
  const own = keyOf(proxy.labels)
  const chosen =
    shared && labelled.some(({ endpoint }) => keyOf(endpoint.labels) === own)
      ? found.filter(({ endpoint }) => isEmpty(endpoint.labels) || keyOf(endpoint.labels) === own)
      : found
  return chosen.map(({ target }) => target)
}

function keyOf(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
}
