import { struct } from '../../decode/value.js'
import type { Resource } from '../../resource.js'
import { defineKind, type Kind } from '../kind.js'

/** Kubernetes core/v1 Node: its labels give the locality, its addresses those of NodePort gateways. */
export interface Node extends Resource<'Node', Readonly<Record<string, unknown>>> {
  readonly status?: { addresses?: readonly { type: string; address: string }[] }
}

export const node: Kind<Node> = defineKind<Node>({ name: 'Node', groups: [''], namespaced: false, body: 'spec', spec: struct })
