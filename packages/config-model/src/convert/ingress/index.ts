import { type Collection, derive, deriveMany, index, type Read } from '@heddle/runtime'
import type { KindCollections } from '../../catalog/sources.js'
import type { Gateway } from '../../kinds/gateway.js'
import type { Ingress } from '../../kinds/kubernetes/ingress.js'
import type { MeshConfig } from '../../kinds/mesh-config.js'
import type { VirtualService } from '../../kinds/virtual-service.js'
import { listIn, type ResourceStatus, statusOf } from '../status.js'
import { INGRESS_NAMESPACE, ingressGateway } from './gateways.js'
import { ingressRules, ingressVirtualService } from './virtual-services.js'

export interface IngressSources {
  readonly sources: KindCollections
  /** One value under the key ''. */
  readonly meshConfig: Collection<MeshConfig>
  readonly domainSuffix: string
}

export interface ConvertedIngress {
  readonly gateways: Collection<Gateway>
  readonly virtualServices: Collection<VirtualService>
  readonly statuses: Collection<ResourceStatus>
}

/** Ingress objects that are for Istio, as Istio's kinds (istiod's pilot/pkg/config/kube/ingress). */
export function convertIngress({ sources, meshConfig, domainSuffix }: IngressSources): ConvertedIngress {
  const supported = derive(
    sources.Ingress,
    (ingress, read) => {
      const mesh = read.get(meshConfig, '')
      return mesh !== undefined && isOurs(ingress, mesh, sources, read) ? ingress : undefined
    },
    { name: 'ingress.supported' },
  )
  const gateways = deriveMany(
    supported,
    (ingress, read) => {
      const mesh = read.get(meshConfig, '')
      if (mesh === undefined) return []
      const gateway = ingressGateway(ingress, mesh)
      return [[`${gateway.metadata.namespace}/${gateway.metadata.name}`, gateway] as const]
    },
    { name: 'ingress.gateways' },
  )
  const rules = deriveMany(
    supported,
    (ingress, _read, key) => ingressRules(ingress).map((rule) => [`${key} ${rule.index}`, rule] as const),
    {
      name: 'ingress.rules',
    },
  )
  const byHost = index(rules, ({ host }) => host, { name: 'ingress.rules.by-host' })
  const virtualServices = deriveMany(
    byHost,
    (list, read, host) => {
      const service = ingressVirtualService(host, list, sources, domainSuffix, read)
      return [[`${service.metadata.namespace}/${service.metadata.name}`, service] as const]
    },
    { name: 'ingress.virtual-services' },
  )
  const statuses = deriveMany(
    supported,
    (ingress, read) => {
      const mesh = read.get(meshConfig, '')
      const addresses = mesh === undefined ? [] : addressesOf(mesh, sources, read)
      const written = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' }
      const status = statusOf(ingress, written, { loadBalancer: addresses.length === 0 ? {} : { ingress: addresses } })
      return [[status.key, status] as const]
    },
    { name: 'ingress.statuses' },
  )
  return { gateways, virtualServices, statuses }
}

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class'
const CONTROLLER = 'istio.io/ingress-controller'

/** The annotation decides, else the class, else MeshConfig.ingressControllerMode: DEFAULT takes what names no class. */
function isOurs({ metadata, spec }: Ingress, mesh: MeshConfig, sources: KindCollections, read: Read): boolean {
  const { ingressControllerMode: mode, ingressClass } = mesh
  const annotated = metadata.annotations[CLASS_ANNOTATION]
  if (annotated !== undefined) return (mode === 'STRICT' || mode === 'DEFAULT') && annotated === ingressClass
  if (spec.ingressClassName !== undefined)
    return read.get(sources.IngressClass, `/${spec.ingressClassName}`)?.spec.controller === CONTROLLER
  return mode === 'DEFAULT'
}

/** What the Service in front of the ingress gateway has. */
function addressesOf(
  { ingressService }: MeshConfig,
  sources: KindCollections,
  read: Read,
): readonly { ip?: string; hostname?: string }[] {
  const service = ingressService === '' ? undefined : read.get(sources.Service, `${INGRESS_NAMESPACE}/${ingressService}`)
  if (service === undefined) return []
  const { type, externalName = '', externalIPs = [] } = service.spec
  if (type === 'ExternalName') return [addressOf(externalName)]
  const balancer = (service.status as { loadBalancer?: unknown } | undefined)?.loadBalancer
  const balanced = listIn<{ ip?: string; hostname?: string }>(balancer, 'ingress').map(({ ip = '', hostname = '' }) =>
    ip === '' ? hostname : ip,
  )
  return [...balanced, ...externalIPs].map(addressOf)
}

function addressOf(text: string): { ip?: string; hostname?: string } {
  return text.includes(':') || /^\d+(\.\d+){3}$/.test(text) ? { ip: text } : { hostname: text }
}
