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

/** One open stream. */
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

/** The writing end of a {@link TypeStatus}. */
export interface TypeRecord extends TypeStatus {
  subscribed(wildcard: boolean, names: number): void
  wasSent(exchange: Exchange, resources: readonly VersionedResource[]): void
  /** The client has brought the version along from an earlier stream: nothing was sent, and nothing needs an answer. */
  wasCurrent(exchange: Exchange): void
  wasAcked(at: number, nonce: string): void
  wasNacked(at: number, nonce: string, error: ErrorDetail): void
}

export function createTypeRecord(typeUrl: string): TypeRecord {
  let wildcard = false
  let names = 0
  let sent: Exchange | undefined
  let acked: Exchange | undefined
  let nacked: TypeStatus['nacked']
  let open: readonly VersionedResource[] = []
  return {
    typeUrl,
    get state() {
      if (sent === undefined) return 'NOT SENT'
      if (nacked?.nonce === sent.nonce) return 'NACKED'
      return acked?.nonce === sent.nonce ? 'SYNCED' : 'STALE'
    },
    get wildcard() {
      return wildcard
    },
    get names() {
      return names
    },
    get sent() {
      return sent
    },
    get acked() {
      return acked
    },
    get nacked() {
      return nacked
    },
    get unaccepted() {
      return open.map(({ name }) => name)
    },
    get inUse() {
      return acked?.version ?? ''
    },
    subscribed(all, count) {
      wildcard = all
      names = count
    },
    wasSent(exchange, resources) {
      sent = exchange
      open = resources
    },
    wasCurrent(exchange) {
      sent = exchange
      acked = exchange
    },
    wasAcked(at, nonce) {
      if (sent?.nonce !== nonce) return
      acked = { ...sent, at }
      open = []
    },
    wasNacked(at, nonce, error) {
      if (sent?.nonce !== nonce) return
      const names = open.map(({ name }) => name)
      nacked = { ...sent, at, error, resources: refusedNames(error.message, names) }
    },
  }
}
