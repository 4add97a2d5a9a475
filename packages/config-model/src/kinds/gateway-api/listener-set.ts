import { validateListenerSet } from '../../checks/gateway-api/listeners.js'
import { fields } from '../../decode/fields.js'
import { listOf } from '../../decode/value.js'
import type { Resource } from '../../resource.js'
import { defineKind, type Kind } from '../kind.js'
import { type Listener, listener } from './listener.js'
import { GATEWAY_API_GROUP, type ObjectReferenceTo, objectReferenceTo } from './references.js'

/** gateway.networking.k8s.io ListenerSet: more listeners for a Gateway that allows it. */
export interface ListenerSetSpec {
  parentRef: ObjectReferenceTo
  listeners: readonly Listener[]
}

export type ListenerSet = Resource<'ListenerSet', ListenerSetSpec>

export const listenerSet: Kind<ListenerSet> = defineKind<ListenerSet>({
  name: 'ListenerSet',
  groups: [GATEWAY_API_GROUP],
  namespaced: true,
  body: 'spec',
  spec: fields<ListenerSetSpec>(
    { parentRef: objectReferenceTo, listeners: listOf(listener) },
    { defaults: { listeners: [] }, required: ['parentRef'], open: true },
  ),
  validate: validateListenerSet,
})
