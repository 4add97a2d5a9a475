import type { Node } from '@heddle/xds-types/envoy/config/core/v3'
import type { PeerIdentity } from './access.js'
import type { NodeInfo } from './node.js'
import type { SessionContext } from './session-options.js'
import { type CloseStatus, STATUS } from './transport.js'

/** What a request may do, or why the stream must end. */
export type Verdict<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly status: CloseStatus }

/** The node of a stream's first request: it must have an id, and the peer must be allowed to be it (xds-protocol 2, 84). */
export function admitNode(
  claimed: Node | undefined,
  identity: PeerIdentity,
  { admit, nodesWithoutId }: Pick<SessionContext, 'admit' | 'nodesWithoutId'>,
): Verdict<NodeInfo> {
  const id = claimed?.id ?? ''
  if (id === '' && !nodesWithoutId) {
    return refuse(STATUS.invalidArgument, 'the first request of a stream must carry a node with an id')
  }
  const node: NodeInfo = { ...claimed, id }
  const admitted = admit(node, identity)
  if (admitted.ok) return { ok: true, value: node }
  return refuse(STATUS.permissionDenied, admitted.diagnostics.map((diagnostic) => diagnostic.message).join('; '))
}

/** The type of a request; a per-type stream (`onlyType`) implies it and takes no other (xds-protocol 5). */
export function typeOfRequest(typeUrl: string, onlyType: string | undefined): Verdict<string> {
  if (onlyType !== undefined && (typeUrl === '' || typeUrl === onlyType)) return { ok: true, value: onlyType }
  if (typeUrl === '') return refuse(STATUS.invalidArgument, 'type_url is missing: an aggregated stream needs it in every request')
  if (onlyType === undefined) return { ok: true, value: typeUrl }
  return refuse(
    STATUS.invalidArgument,
    `this stream serves ${onlyType}, not ${typeUrl}; use the aggregated service for several types`,
  )
}

function refuse(code: number, message: string): { readonly ok: false; readonly status: CloseStatus } {
  return { ok: false, status: { code, message } }
}
