import { fields } from '../../decode/fields.js'
import { into, refuse, warn } from '../../decode/site.js'
import { mapOf, text } from '../../decode/value.js'
import { readMeshConfig } from '../../mesh-config.js'
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
  validate({ metadata, spec }, at) {
    const mesh = spec.data?.['mesh']
    if (metadata.name !== 'istio' || mesh === undefined) return
    const result = readMeshConfig(mesh)
    for (const { severity, code, path, message } of result.diagnostics) {
      const tell = severity === 'error' ? refuse : warn
      tell(into(into(at, 'data'), 'mesh'), code, path === '' ? message : `${path}: ${message}`)
    }
  },
})
