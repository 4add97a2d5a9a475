import type { Resource } from '../../resource.js'

/** Kubernetes networking.k8s.io/v1 Ingress. */
export interface IngressSpec {
  ingressClassName?: string
  defaultBackend?: IngressBackend
  tls?: readonly { hosts?: readonly string[]; secretName?: string }[]
  rules?: readonly { host?: string; http?: { paths?: readonly IngressPath[] } }[]
}

export type Ingress = Resource<'Ingress', IngressSpec>
export type IngressClass = Resource<'IngressClass', { controller?: string }>

export interface IngressBackend {
  service?: { name: string; port?: { name?: string; number?: number } }
  resource?: Readonly<Record<string, unknown>>
}

export interface IngressPath {
  path?: string
  pathType?: 'Exact' | 'Prefix' | 'ImplementationSpecific'
  backend: IngressBackend
}
