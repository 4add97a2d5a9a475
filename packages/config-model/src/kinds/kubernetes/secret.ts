import type { Resource } from '../../resource.js'

/** Kubernetes core/v1 Secret; its top level is the spec here. `data` is base64, `stringData` is text. */
export interface SecretSpec {
  type?: string
  data?: Readonly<Record<string, string>>
  stringData?: Readonly<Record<string, string>>
}

export type Secret = Resource<'Secret', SecretSpec>
