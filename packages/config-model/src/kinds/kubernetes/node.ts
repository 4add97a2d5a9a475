import type { Resource } from '../../resource.js'

/** Kubernetes core/v1 Node: its labels give the locality, its addresses those of NodePort gateways. */
export interface Node extends Resource<'Node', Readonly<Record<string, unknown>>> {
  readonly status?: { addresses?: readonly { type: string; address: string }[] }
}
