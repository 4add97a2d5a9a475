import { fields } from '../../decode/fields.js'
import { mapOf, text } from '../../decode/value.js'
import type { Resource } from '../../resource.js'
import { defineKind, type Kind } from '../kind.js'

/** Kubernetes core/v1 ConfigMap; its top level is the spec here. */
export interface ConfigMapSpec {
  data?: Readonly<Record<string, string>>
  binaryData?: Readonly<Record<string, string>>
}

export type ConfigMap = Resource<'ConfigMap', ConfigMapSpec>

export const configMap: Kind<ConfigMap> = defineKind<ConfigMap>({
  name: 'ConfigMap',
  groups: [''],
  namespaced: true,
  body: 'object',
  spec: fields<ConfigMapSpec>({ data: mapOf(text), binaryData: mapOf(text) }, { open: true }),
})
