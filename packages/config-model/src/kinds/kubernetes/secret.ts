import { fields } from '../../decode/fields.js'
import { mapOf, text } from '../../decode/value.js'
import type { Resource } from '../../resource.js'
import { defineKind, type Kind } from '../kind.js'

/** Kubernetes core/v1 Secret; its top level is the spec here. `data` is base64, `stringData` is text. */
export interface SecretSpec {
  type?: string
  data?: Readonly<Record<string, string>>
  stringData?: Readonly<Record<string, string>>
}

export type Secret = Resource<'Secret', SecretSpec>

export const secret: Kind<Secret> = defineKind<Secret>({
  name: 'Secret',
  groups: [''],
  namespaced: true,
  body: 'object',
  spec: fields<SecretSpec>({ type: text, data: mapOf(text), stringData: mapOf(text) }, { open: true }),
})
