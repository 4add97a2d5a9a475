import { fields } from '../../decode/fields.js'
import { into, refuse, warn } from '../../decode/site.js'
import { mapOf, text } from '../../decode/value.js'
import { readMeshConfig } from '../../mesh-config.js'
import type { Resource } from '../../resource.js'
import { defineKind, type Kind } from '../kind.js'
import { readMeshNetworks } from '../mesh-networks.js'

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
    if (metadata.name !== 'istio') return
    for (const [key, read] of [
      ['mesh', readMeshConfig],
      ['meshNetworks', readMeshNetworks],
    ] as const) {
      const written = spec.data?.[key]
      if (written === undefined) continue
      for (const { severity, code, path, message } of read(written).diagnostics) {
        const tell = severity === 'error' ? refuse : warn
        tell(into(into(at, 'data'), key), code, path === '' ? message : `${path}: ${message}`)
      }
    }
  },
})
