import type { Result } from '@heddle/runtime'
import { fail, ok, problem } from '@heddle/runtime'
import type { NodeInfo } from './node.js'
import type { ErrorDetail } from './protocol/stream-protocol.js'

/** Who is at the other end, as the transport has proved it. */
export interface PeerIdentity {
  /** For Istio workloads `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`; empty when nothing was asked for. */
  readonly id: string
}

/** Nobody asked: a plaintext server without an authenticator. */
export const ANONYMOUS: PeerIdentity = { id: '' }

/** Whether a peer may be the node it says it is; a failure closes the stream with PERMISSION_DENIED before any data (xds-protocol 84). */
export type Admit = (node: NodeInfo, identity: PeerIdentity) => Result<void>

/** What an authorizer is asked: may this node see this resource? What it may not see does not exist for it (xds-protocol 85). */
export interface ResourceAccess {
  readonly node: NodeInfo
  readonly identity: PeerIdentity
  readonly typeUrl: string
  readonly name: string
}

/** False: the resource does not exist for the node. An `ErrorDetail` is told to a client that asks for it by name (`resource_errors`, TP3). */
export type Authorize = (access: ResourceAccess) => boolean | ErrorDetail

/** Admits a peer only as the node whose identity is the peer's own. `identityOf` says what identity a node claims by its id and metadata. */
export function requireNodeIdentity(identityOf: (node: NodeInfo) => string | undefined): Admit {
  return (node, identity) => {
    const claimed = identityOf(node)
    if (claimed !== undefined && claimed === identity.id) return ok(undefined)
    const message =
      claimed === undefined
        ? `node ${JSON.stringify(node.id)} names no identity; give the proxy its namespace and service account`
        : `node ${JSON.stringify(node.id)} says it is ${claimed}, but its credential is for ${identity.id || 'nobody'}`
    return fail(problem('xds.foreign_node', 'node', message))
  }
}
