import type { Resource } from '../../resource.js'

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
