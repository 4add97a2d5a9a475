import { fields } from '../../decode/fields.js'
import { listOf, oneOf, struct, text, uint32 } from '../../decode/value.js'
import type { Resource } from '../../resource.js'
import { defineKind, type Kind } from '../kind.js'

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

const backend = fields<IngressBackend>({
  service: fields<NonNullable<IngressBackend['service']>>(
    { name: text, port: fields<{ name?: string; number?: number }>({ name: text, number: uint32 }, { open: true }) },
    { defaults: { name: '' }, open: true },
  ),
  resource: struct,
})

const path = fields<IngressPath>(
  { path: text, pathType: oneOf('Exact', 'Prefix', 'ImplementationSpecific'), backend },
  { required: ['backend'], open: true },
)

const rule = fields<{ host?: string; http?: { paths?: readonly IngressPath[] } }>(
  { host: text, http: fields<{ paths?: readonly IngressPath[] }>({ paths: listOf(path) }, { open: true }) },
  { open: true },
)

export const ingress: Kind<Ingress> = defineKind<Ingress>({
  name: 'Ingress',
  groups: ['networking.k8s.io', 'extensions'],
  namespaced: true,
  body: 'spec',
  spec: fields<IngressSpec>(
    {
      ingressClassName: text,
      defaultBackend: backend,
      tls: listOf(
        fields<{ hosts?: readonly string[]; secretName?: string }>({ hosts: listOf(text), secretName: text }, { open: true }),
      ),
      rules: listOf(rule),
    },
    { open: true },
  ),
})

export const ingressClass: Kind<IngressClass> = defineKind<IngressClass>({
  name: 'IngressClass',
  groups: ['networking.k8s.io'],
  namespaced: false,
  body: 'spec',
  spec: fields<{ controller?: string }>({ controller: text }, { open: true }),
})
