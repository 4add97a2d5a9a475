import { fields } from '../../decode/fields.js'
import { type Decode, flag, listOf, struct, text, uint32 } from '../../decode/value.js'
import type { Resource } from '../../resource.js'
import { defineKind, type Kind } from '../kind.js'

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

const containerPort = fields<ContainerPort>(
  { name: text, containerPort: uint32, protocol: text, hostPort: uint32 },
  { required: ['containerPort'], open: true },
)
const container = fields<Container>(
  { name: text, image: text, ports: listOf(containerPort) },
  { defaults: { name: '' }, open: true },
)

/** Of a Pod and of templates. */
export const podSpec: Decode<PodSpec> = fields<PodSpec>(
  {
    serviceAccountName: text,
    nodeName: text,
    hostNetwork: flag,
    containers: listOf(container),
    initContainers: listOf(container),
    volumes: listOf(struct),
    securityContext: struct,
  },
  { open: true },
)

export const pod: Kind<Pod> = defineKind<Pod>({ name: 'Pod', groups: [''], namespaced: true, body: 'spec', spec: podSpec })
