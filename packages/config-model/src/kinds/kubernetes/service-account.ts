import { struct } from '../../decode/value.js'
import type { Resource } from '../../resource.js'
import { defineKind, type Kind } from '../kind.js'

/** Kubernetes core/v1 ServiceAccount. */
export type ServiceAccount = Resource<'ServiceAccount', Readonly<Record<string, unknown>>>

export const serviceAccount: Kind<ServiceAccount> = defineKind<ServiceAccount>({
  name: 'ServiceAccount',
  groups: [''],
  namespaced: true,
  body: 'object',
  spec: struct,
})
