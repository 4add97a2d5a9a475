import { fields } from '../../decode/fields.js'
import { flag, listOf, mapOf, numberOrName, oneOf, text, uint32 } from '../../decode/value.js'
import type { Resource } from '../../resource.js'
import { defineKind, type Kind } from '../kind.js'

/** Kubernetes core/v1 Service. */
export interface ServiceSpec {
  /** Default ClusterIP. */
  type: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName'
  /** `None` is headless. */
  clusterIP?: string
  clusterIPs?: readonly string[]
  externalName?: string
  externalIPs?: readonly string[]
  selector?: Readonly<Record<string, string>>
  ports?: readonly KubernetesServicePort[]
  publishNotReadyAddresses?: boolean
  internalTrafficPolicy?: 'Cluster' | 'Local'
  externalTrafficPolicy?: 'Cluster' | 'Local'
  trafficDistribution?: string
  ipFamilies?: readonly string[]
  loadBalancerIP?: string
}

export type Service = Resource<'Service', ServiceSpec>

export interface KubernetesServicePort {
  /** '' only when there is one. */
  name: string
  port: number
  /** Default TCP. */
  protocol: 'TCP' | 'UDP' | 'SCTP'
  appProtocol?: string
  /** Default: `port`. */
  targetPort?: number | string
  nodePort?: number
}

const port = fields<KubernetesServicePort>(
  {
    name: text,
    port: uint32,
    protocol: oneOf('TCP', 'UDP', 'SCTP'),
    appProtocol: text,
    targetPort: numberOrName,
    nodePort: uint32,
  },
  { required: ['port'], defaults: { name: '', protocol: 'TCP' }, open: true },
)

export const service: Kind<Service> = defineKind<Service>({
  name: 'Service',
  groups: [''],
  namespaced: true,
  body: 'spec',
  spec: fields<ServiceSpec>(
    {
      type: oneOf('ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'),
      clusterIP: text,
      clusterIPs: listOf(text),
      externalName: text,
      externalIPs: listOf(text),
      selector: mapOf(text),
      ports: listOf(port),
      publishNotReadyAddresses: flag,
      internalTrafficPolicy: oneOf('Cluster', 'Local'),
      externalTrafficPolicy: oneOf('Cluster', 'Local'),
      trafficDistribution: text,
      ipFamilies: listOf(text),
      loadBalancerIP: text,
    },
    { defaults: { type: 'ClusterIP' }, open: true },
  ),
})
