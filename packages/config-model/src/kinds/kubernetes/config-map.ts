import type { Resource } from '../../resource.js'

/** Kubernetes core/v1 ConfigMap; its top level is the spec here. */
export interface ConfigMapSpec {
  data?: Readonly<Record<string, string>>
  binaryData?: Readonly<Record<string, string>>
}

export type ConfigMap = Resource<'ConfigMap', ConfigMapSpec>
