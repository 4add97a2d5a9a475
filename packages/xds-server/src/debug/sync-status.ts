import { metricType } from '../protocol/push-order.js'
import type { StreamStatus, SyncState, TypeStatus } from '../status.js'

/** One type of one stream, as JSON. Times are ISO 8601; what has not happened yet is absent. */
export interface TypeSyncStatus {
  readonly type_url: string
  readonly state: SyncState
  /** `*` and the number of names besides. */
  readonly subscribed: { readonly wildcard: boolean; readonly names: number }
  readonly sent?: { readonly version: string; readonly nonce: string; readonly at: string }
  readonly acked?: { readonly version: string; readonly nonce: string; readonly at: string }
  readonly nacked?: {
    readonly version: string
    readonly nonce: string
    readonly at: string
    readonly message: string
    readonly resources: readonly string[]
  }
}

/** One stream, as JSON: a row of `heddle proxy-status`. */
export interface NodeSyncStatus {
  readonly node_id: string
  readonly stream_id: string
  readonly protocol: 'sotw' | 'delta'
  readonly peer: string
  readonly identity: string
  readonly connected_at: string
  /** By `cds`, `eds`, `lds`, `rds`, ... */
  readonly types: Readonly<Record<string, TypeSyncStatus>>
}

/** All streams whose node is known, oldest first. */
export function syncStatus(server: { status(): Iterable<StreamStatus> }): NodeSyncStatus[] {
  const rows: NodeSyncStatus[] = []
  for (const stream of server.status()) {
    if (stream.nodeId === undefined) continue
    rows.push({
      node_id: stream.nodeId,
      stream_id: stream.streamId,
      protocol: stream.variant,
      peer: stream.peer,
      identity: stream.identity.id,
      connected_at: iso(stream.connectedAt),
      types: Object.fromEntries([...stream.types.values()].map((type) => [metricType(type.typeUrl), typeRow(type)])),
    })
  }
  return rows
}

function typeRow(type: TypeStatus): TypeSyncStatus {
  const { sent, acked, nacked } = type
  return {
    type_url: type.typeUrl,
    state: type.state,
    subscribed: { wildcard: type.wildcard, names: type.names },
    ...(sent === undefined ? {} : { sent: { version: sent.version, nonce: sent.nonce, at: iso(sent.at) } }),
    ...(acked === undefined ? {} : { acked: { version: acked.version, nonce: acked.nonce, at: iso(acked.at) } }),
    ...(nacked === undefined
      ? {}
      : {
          nacked: {
            version: nacked.version,
            nonce: nacked.nonce,
            at: iso(nacked.at),
            message: nacked.error.message,
            resources: nacked.resources,
          },
        }),
  }
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
