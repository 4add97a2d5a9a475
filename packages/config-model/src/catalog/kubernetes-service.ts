import type { Service } from '../kinds/kubernetes/service.js'
import { LABELS } from '../names/labels.js'
import { kubernetesPortProtocol } from '../names/port-protocol.js'
import { clusterOf, keyOf } from '../resource.js'
import type { MeshService, Resolution } from './service.js'
import { distributionOf } from './traffic-distribution.js'

/** What a service is besides what it says of itself. */
export interface ServiceSurroundings {
  /** `cluster.local`. */
  domainSuffix: string
  /** For the names of accounts; only used when {@link namesAccounts}. */
  trustDomain: string
  /** Of the namespace: how its services distribute traffic that do not say so themselves. */
  distribution: string | undefined
}

/** Whether annotations name the accounts that a client may expect. */
export function namesAccounts({ metadata }: Service): boolean {
  return metadata.annotations[LABELS.serviceAccounts] !== undefined
}

/** The Services of one name in the common model: the first is the service, every cluster has its own addresses of it. */
export function fromKubernetesServices(
  services: readonly Service[],
  surroundings: ServiceSurroundings,
  ownCluster: string,
): MeshService | undefined {
  const [first] = services
  if (first === undefined) return undefined
  const service = fromKubernetesService(first, surroundings)
  if (services.every(({ metadata }) => clusterOf(metadata) === undefined)) return service
  const addressesIn = Object.fromEntries(
    services.map((one) => [clusterOf(one.metadata) ?? ownCluster, fromKubernetesService(one, surroundings).addresses]),
  )
  return { ...service, addressesIn }
}

/** A Kubernetes Service in the common model. */
function fromKubernetesService(service: Service, { domainSuffix, trustDomain, distribution }: ServiceSurroundings): MeshService {
  const { metadata, spec } = service
  const { name, namespace } = metadata
  const headless = spec.clusterIP === 'None'
  const external = spec.type === 'ExternalName' && spec.externalName !== undefined && spec.externalName !== ''
  const resolution: Resolution = external ? 'Alias' : headless ? 'Passthrough' : 'ClientSideLB'
  return {
    hostname: `${name}.${namespace}.svc.${domainSuffix}`.toLowerCase(),
    name,
    namespace,
    registry: 'Kubernetes',
    addresses: headless || external ? [] : clusterAddresses(service),
    ports: (spec.ports ?? []).map((port) => ({
      name: port.name,
      number: port.port,
      protocol: kubernetesPortProtocol(port),
      targetPort: port.targetPort === undefined || port.targetPort === 0 ? port.port : port.targetPort,
    })),
    resolution,
    meshExternal: external,
    exportTo: listed(metadata.annotations[LABELS.exportTo]),
    labels: metadata.labels,
    ...(spec.selector === undefined || Object.keys(spec.selector).length === 0 ? {} : { selector: spec.selector }),
    ...(external && spec.externalName !== undefined ? { externalName: spec.externalName } : {}),
    subjectAltNames: [
      ...listed(metadata.annotations[LABELS.canonicalServiceAccounts]).map((name) => `spiffe://${name}`),
      ...listed(metadata.annotations[LABELS.serviceAccounts]).map(
        (account) => `spiffe://${trustDomain}/ns/${namespace}/sa/${account}`,
      ),
    ],
    ...distributionOf(spec.trafficDistribution, metadata.annotations, distribution),
    ...(spec.internalTrafficPolicy === 'Local' ? { nodeLocal: true as const } : {}),
    headless,
    createdAt: metadata.creationTimestamp ?? '',
    source: keyOf(service),
  }
}

function clusterAddresses({ spec }: Service): readonly string[] {
  const { clusterIP, clusterIPs } = spec
  const addresses = clusterIPs !== undefined && clusterIPs.length > 0 ? clusterIPs : clusterIP === undefined ? [] : [clusterIP]
  return addresses.filter((address) => address !== '')
}

function listed(annotation: string | undefined): readonly string[] {
  return (annotation ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
