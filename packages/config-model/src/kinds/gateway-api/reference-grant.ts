import { fields } from '../../decode/fields.js'
import { listOf, text } from '../../decode/value.js'
import type { Resource } from '../../resource.js'
import { defineKind, type Kind } from '../kind.js'
import { GATEWAY_API_GROUP } from './references.js'

/** gateway.networking.k8s.io ReferenceGrant: what others may refer to in its namespace. */
export interface ReferenceGrantSpec {
  from: readonly { group: string; kind: string; namespace: string }[]
  /** Without a name: all of the kind. */
  to: readonly { group: string; kind: string; name?: string }[]
}

export type ReferenceGrant = Resource<'ReferenceGrant', ReferenceGrantSpec>

export const referenceGrant: Kind<ReferenceGrant> = defineKind<ReferenceGrant>({
  name: 'ReferenceGrant',
  groups: [GATEWAY_API_GROUP],
  namespaced: true,
  body: 'spec',
  spec: fields<ReferenceGrantSpec>(
    {
      from: listOf(
        fields<ReferenceGrantSpec['from'][number]>(
          { group: text, kind: text, namespace: text },
          { required: ['kind', 'namespace'], defaults: { group: '' }, open: true },
        ),
      ),
      to: listOf(
        fields<ReferenceGrantSpec['to'][number]>(
          { group: text, kind: text, name: text },
          { required: ['kind'], defaults: { group: '' }, open: true },
        ),
      ),
    },
    { required: ['from', 'to'], open: true },
  ),
})
