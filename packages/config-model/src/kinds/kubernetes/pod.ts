import type { Resource } from '../../resource.js'

/** Kubernetes core/v1 Pod: what a mesh reads is typed, the rest of the object is kept as written. */
export interface PodSpec {
  serviceAccountName?: string
  nodeName?: string
  hostNetwork?: boolean
  containers?: readonly Container[]
  initContainers?: readonly Container[]
  volumes?: readonly Readonly<Record<string, unknown>>[]
  securityContext?: Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}

export interface PodStatus {
  podIP?: string
  podIPs?: readonly { ip: string }[]
  phase?: string
  conditions?: readonly { type: string; status: string }[]
  readonly [field: string]: unknown
}

export interface Pod extends Resource<'Pod', PodSpec> {
  readonly status?: PodStatus
}

export interface ContainerPort {
  name?: string
  containerPort: number
  protocol?: string
  hostPort?: number
}

export interface Container {
  name: string
  image?: string
  ports?: readonly ContainerPort[]
  readonly [field: string]: unknown
}
