/** Kubernetes objects as they come from YAML: what injection touches is typed, all other fields pass through untouched. */
export interface KubernetesObject {
  apiVersion?: string
  kind?: string
  metadata?: Metadata
  [field: string]: unknown
}

export interface Metadata {
  name?: string
  generateName?: string
  namespace?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: { apiVersion?: string; kind?: string; name?: string; controller?: boolean }[]
  [field: string]: unknown
}

/** A pod, or the template of one. */
export interface PodTemplate {
  metadata?: Metadata
  spec?: PodSpec
  [field: string]: unknown
}

export interface PodSpec {
  containers?: Container[]
  initContainers?: Container[]
  volumes?: Named[]
  imagePullSecrets?: Named[]
  hostNetwork?: boolean
  serviceAccountName?: string
  [field: string]: unknown
}

export interface Named {
  name: string
  [field: string]: unknown
}

export interface Container extends Named {
  image?: string
  command?: string[]
  args?: string[]
  env?: EnvVar[]
  ports?: ContainerPort[]
  resources?: Record<string, unknown>
  securityContext?: SecurityContext
  readinessProbe?: Handler
  livenessProbe?: Handler
  startupProbe?: Handler
  lifecycle?: { preStop?: Handler; postStart?: Handler }
}

export interface EnvVar {
  name: string
  value?: string
  valueFrom?: Record<string, unknown>
}

export interface ContainerPort {
  name?: string
  containerPort?: number
  [field: string]: unknown
}

export interface SecurityContext {
  runAsUser?: number
  runAsGroup?: number
  [field: string]: unknown
}

/** A probe or a lifecycle handler. */
export interface Handler {
  httpGet?: HttpGetAction
  tcpSocket?: { port?: number | string; host?: string }
  grpc?: { port?: number; service?: string }
  timeoutSeconds?: number
  [field: string]: unknown
}

export interface HttpGetAction {
  path?: string
  port?: number | string
  scheme?: string
  [field: string]: unknown
}
