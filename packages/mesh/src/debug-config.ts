import { KIND_NAMES, type KindName, type MeshService, type MeshSnapshot, type ServiceEndpoint } from '@heddle/config-model'

/** What Kubernetes itself has, Secrets among it; the rest is configuration of the mesh. */
const KUBERNETES: ReadonlySet<KindName> = new Set<KindName>([
  ...(['Service', 'Endpoints', 'EndpointSlice', 'Pod', 'Node', 'Namespace', 'Secret', 'ConfigMap', 'ServiceAccount'] as const),
  ...(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ReplicationController', 'Job', 'CronJob'] as const),
])

/** Valid objects of Istio's kinds, the Gateway API's and Ingresses, with those that follow from them. */
export function configz(snapshot: MeshSnapshot): object[] {
  return KIND_NAMES.filter((kind) => !KUBERNETES.has(kind)).flatMap((kind) => [...snapshot.list(kind)])
}

interface ServiceEndpoints {
  /** `reviews.shop.svc.cluster.local:http` */
  readonly svc: string
  readonly ep: readonly ServiceEndpoint[]
}

/** The endpoints of each port of each service. */
export function endpointz(snapshot: MeshSnapshot): ServiceEndpoints[] {
  const of = (service: MeshService): ServiceEndpoints[] =>
    service.ports.map(({ name }) => ({ svc: `${service.hostname}:${name}`, ep: snapshot.endpoints(service, name) }))
  return snapshot.services.flatMap(of)
}

/** A line each: service, port, address, labels, service account. */
export function endpointzBrief(snapshot: MeshSnapshot): string {
  return endpointz(snapshot)
    .flatMap(({ svc, ep }) =>
      ep.map(({ address, port, labels, serviceAccount }) =>
        `${svc} ${address}:${port} ${JSON.stringify(labels)} ${serviceAccount}`.trimEnd(),
      ),
    )
    .map((line) => `${line}\n`)
    .join('')
}
