import { equal } from '@heddle/runtime'
import type { KubernetesServicePort, ServiceSpec } from '../../kinds/kubernetes/service.js'
import { clusterOf } from '../../resource.js'
import type { Analyzer } from '../analyzer.js'
import { groupBy } from '../group-by.js'
import { fullName } from '../object.js'

/** Services of one name in several clusters are one service of the mesh: they must be alike. */
export const multiClusterServices: Analyzer = {
  name: 'services.MultiClusterServiceAnalyzer',
  summary: 'Services that differ from cluster to cluster',
  messages: ['MultiClusterInconsistentService'],
  analyze(context, report) {
    for (const services of groupBy(context.of('Service'), fullName).values()) {
      const [first, ...others] = services
      if (first === undefined) continue
      const odd = others
        .map((other) => ({ other, reasons: differences(first.spec, other.spec) }))
        .filter(({ reasons }) => reasons.length > 0)
      if (odd.length === 0) continue
      const clusters = [first, ...odd.map(({ other }) => other)].map(({ metadata }) => clusterOf(metadata) ?? 'Kubernetes')
      const reasons = [...new Set(odd.flatMap((one) => one.reasons))].sort().join('; ')
      const { name, namespace } = first.metadata
      report('MultiClusterInconsistentService', first, '', name, namespace, clusters.sort(), reasons)
    }
  },
}

function differences(a: ServiceSpec, b: ServiceSpec): string[] {
  const found: string[] = []
  if ((a.clusterIP === 'None') !== (b.clusterIP === 'None')) found.push('service has mixed mode like headless and clusterIP')
  if (a.type !== b.type) found.push('service type is inconsistent')
  if (!equal(sorted(a.ports), sorted(b.ports))) found.push('service ports are inconsistent')
  return found
}

function sorted(ports: readonly KubernetesServicePort[] = []): readonly KubernetesServicePort[] {
  return [...ports].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}
