import { isRecord } from '../../decode/value.js'
import type { KubernetesServicePort, ServiceSpec } from '../../kinds/kubernetes/service.js'
import { selects } from '../../names/labels.js'
import type { Analyzer } from '../analyzer.js'
import { groupBy } from '../group-by.js'
import { isInMesh } from '../namespaces.js'
import { type ConfigObject, fullName } from '../object.js'
import { templateWorkload } from '../workloads.js'

interface NamedPort {
  readonly service: string
  readonly port: KubernetesServicePort
  /** As written: what is no protocol of Kubernetes contradicts as well. */
  readonly protocol: string
}

/** Services that share the pods of a Deployment and contradict one another about a port. */
export const deploymentServices: Analyzer = {
  name: 'deployment.MultiServiceAnalyzer',
  summary: 'several Services of one Deployment that disagree about a port',
  messages: ['DeploymentAssociatedToMultipleServices', 'DeploymentConflictingPorts'],
  analyze(context, report) {
    const services = groupBy(context.of('Service'), ({ metadata }) => metadata.namespace)
    for (const deployment of context.of('Deployment')) {
      const workload = templateWorkload(deployment)
      const { namespace, name, labels } = deployment.metadata
      const waypoint = labels['gateway.istio.io/managed'] === 'istio.io-mesh-controller'
      if (workload === undefined || waypoint || !isInMesh(workload, context.namespace(namespace))) continue
      const ports = portsOf(services.get(namespace) ?? [], workload.labels)
      for (const [number, of] of groupBy(ports, ({ port }) => port.port)) {
        if (new Set(of.map(({ protocol }) => protocol)).size > 1)
          report('DeploymentAssociatedToMultipleServices', deployment, 'metadata.name', name, number, of.map(nameOf).sort())
      }
      for (const [target, of] of groupBy(ports, ({ port }) => String(port.targetPort || port.port))) {
        // Of several Services with the same port one speaks for all.
        const byNumber = new Map(of.map(({ service, port }) => [port.port, service]))
        if (byNumber.size < 2) continue
        const numbers = [...byNumber.keys()].sort((a, b) => a - b)
        report('DeploymentConflictingPorts', deployment, 'metadata.name', name, [...byNumber.values()].sort(), target, numbers)
      }
    }
  },
}

function portsOf(services: readonly ConfigObject<ServiceSpec>[], labels: Readonly<Record<string, string>>): NamedPort[] {
  return services
    .filter(({ spec }) => Object.keys(spec.selector ?? {}).length > 0 && selects(spec.selector, labels))
    .flatMap((service) =>
      (service.spec.ports ?? []).map((port, p) => ({ service: fullName(service), port, protocol: writtenProtocol(service, p) })),
    )
}

function writtenProtocol({ written }: ConfigObject, at: number): string {
  const spec = isRecord(written['spec']) ? written['spec'] : {}
  const port: unknown = Array.isArray(spec['ports']) ? spec['ports'][at] : undefined
  return isRecord(port) && typeof port['protocol'] === 'string' ? port['protocol'] : 'TCP'
}

function nameOf({ service }: NamedPort): string {
  return service
}
