import type { VersionedResource } from '@heddle/xds-types'
import type { PeerIdentity } from './access.js'
import type { NodeInfo } from './node.js'
import type { ErrorDetail } from './protocol/stream-protocol.js'
import { refusedNames } from './refused-names.js'

/** `istioctl proxy-status` words. STALE: sent, not answered yet. */
export type SyncState = 'SYNCED' | 'STALE' | 'NACKED' | 'NOT SENT'

/** One message of the exchange. `at`: wall-clock milliseconds. */
export interface Exchange {
  readonly version: string
  readonly nonce: string
  readonly at: number
}

/** What one stream knows of one type. */
export interface TypeStatus {
  readonly typeUrl: string
  readonly state: SyncState
  /** Subscribed to everything. */
  readonly wildcard: boolean
  /** Names subscribed to besides. */
  readonly names: number
  readonly sent: Exchange | undefined
  /** The last response that the client accepted. */
  readonly acked: Exchange | undefined
  /** The last response that it refused, why, and the names of those resources in it that its text speaks of: all, when it names none. */
  readonly nacked: (Exchange & { readonly error: ErrorDetail; readonly resources: readonly string[] }) | undefined
  /** Names in the last response, as long as the client has not accepted it. */
  readonly unaccepted: readonly string[]
  /** The version that the client uses: the last that it accepted. */
  readonly inUse: string
}

/** One open stream, as it is at the moment of asking. */
export interface StreamStatus {
  readonly streamId: string
  readonly variant: 'sotw' | 'delta'
  /** Undefined until the first request has come. */
  readonly nodeId: string | undefined
  /** As the client introduced itself; undefined until then. */
  readonly node: NodeInfo | undefined
  readonly peer: string
  readonly identity: PeerIdentity
  /** Wall-clock milliseconds. */
  readonly connectedAt: number
  /** By type URL, in order of the first request. */
  readonly types: ReadonlyMap<string, TypeStatus>
}

/** What a stream notes of one type. A server has many thousands of these: plain fields, no closures and no accessors. */
export interface TypeRecord {
  readonly typeUrl: string
  wildcard: boolean
  names: number
  sent: Exchange | undefined
  acked: Exchange | undefined
  nacked: TypeStatus['nacked']
  /** The resources of the last response, as long as the client has not accepted it. */
  open: readonly VersionedResource[]
}

export function createTypeRecord(typeUrl: string): TypeRecord {
  return { typeUrl, wildcard: false, names: 0, sent: undefined, acked: undefined, nacked: undefined, open: NOTHING }
}

const NOTHING: readonly VersionedResource[] = []

export function noteAcked(record: TypeRecord, at: number, nonce: string): void {
  const { sent } = record
  if (sent?.nonce !== nonce) return
  record.acked = { version: sent.version, nonce, at }
  record.open = NOTHING
}

export function noteNacked(record: TypeRecord, at: number, nonce: string, error: ErrorDetail): void {
  const { sent, open } = record
  if (sent?.nonce !== nonce) return
  const resources = refusedNames(
    error.message,
    open.map(({ name }) => name),
  )
  record.nacked = { ...sent, at, error, resources }
}

/** What is told of a record, as it is now. */
export function typeStatus({ open, ...record }: TypeRecord): TypeStatus {
  return { ...record, state: stateOf(record), unaccepted: open.map(({ name }) => name), inUse: record.acked?.version ?? '' }
}

function stateOf({ sent, acked, nacked }: Pick<TypeRecord, 'sent' | 'acked' | 'nacked'>): SyncState {
  if (sent === undefined) return 'NOT SENT'
  if (nacked?.nonce === sent.nonce) return 'NACKED'
  return acked?.nonce === sent.nonce ? 'SYNCED' : 'STALE'
}
