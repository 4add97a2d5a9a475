import { struct } from '../../decode/value.js'
import type { Resource } from '../../resource.js'
import { defineKind, type Kind } from '../kind.js'

/** Kubernetes core/v1 Namespace: its labels matter. */
export type Namespace = Resource<'Namespace', Readonly<Record<string, unknown>>>

export const namespace: Kind<Namespace> = defineKind<Namespace>({
  name: 'Namespace',
  groups: [''],
  namespaced: false,
  body: 'spec',
  spec: struct,
})
