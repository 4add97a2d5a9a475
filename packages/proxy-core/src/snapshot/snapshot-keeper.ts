import { type Clock, formatDiagnostic, type Logger, type Unsubscribe } from '@heddle/runtime'
import type { ResourceType } from '@heddle/xds-types'
import type { ResourceRecord } from '../state/warmed-set.js'
import type { XdsStatus } from '../xds/client.js'
import type { ReceivedUpdate } from '../xds/protocol.js'
import { decodeSnapshot, encodeSnapshot, type SnapshotResource } from './snapshot.js'
import type { SnapshotStore } from './snapshot-file.js'

export interface SnapshotKeeperOptions {
  readonly store: SnapshotStore
  /** node.id. */
  readonly node: string
  /** What is kept, in the order in which it is put into force. */
  readonly types: readonly ResourceType<object>[]
  records(): ReadonlyMap<string, readonly ResourceRecord[]>
  /** Puts an update into force as if the server had sent it; the next stream knows of it. */
  restore(updates: readonly ReceivedUpdate[]): void
  readonly clock: Clock
  readonly logger: Logger
}

/** Keeps what a management server has told, and brings it back when the server is away at start. */
export interface SnapshotKeeper {
  /** Waits for the server's first word; when none comes in time, the snapshot takes its place. */
  begin(): void
  /** Every change: the server has said something, or the first stream has failed. */
  onStatus(status: XdsStatus): void
  close(): Promise<void>
}

/** How long configuration must be quiet before it is written, and how long the server may be silent at start. */
const QUIET_MS = 1_000
const PATIENCE_MS = 3_000

export function createSnapshotKeeper(options: SnapshotKeeperOptions): SnapshotKeeper {
  const { store, node, types, clock, logger } = options
  let [decided, dirty, heard] = [false, false, 0]
  let stopPatience: Unsubscribe | undefined
  let stopQuiet: Unsubscribe | undefined

  const save = async (): Promise<void> => {
    if (!dirty) return
    dirty = false
    try {
      await store.write(encodeSnapshot({ node, types: recorded(options) }))
    } catch (error) {
      logger.warn({ reason: String(error) }, 'snapshot: the configuration could not be kept')
    }
  }
  const bringBack = async (): Promise<void> => {
    if (decided) return
    decided = true
    stopPatience?.()
    const text = await store.read().catch((error: unknown) => {
      logger.warn({ reason: String(error) }, 'snapshot: it cannot be read')
      return undefined
    })
    if (text === undefined) {
      logger.warn({}, 'snapshot: there is none, and the management server does not answer: waiting for it')
      return
    }
    const snapshot = decodeSnapshot(text, node)
    if (!snapshot.ok) {
      logger.error({ reason: snapshot.diagnostics.map(formatDiagnostic).join('; ') }, 'snapshot: it is refused')
      return
    }
    logger.warn({}, 'snapshot: the management server does not answer: the last good configuration is in force')
    options.restore(types.flatMap((type) => updateOf(type, snapshot.value.types.get(type.typeUrl) ?? [])))
  }
  return {
    begin() {
      stopPatience = clock.after(PATIENCE_MS, () => void bringBack())
    },
    onStatus({ updates, connected, lastError }) {
      if (updates === 0 && !connected && lastError !== '') void bringBack()
      if (updates === heard) return
      heard = updates
      decided = dirty = true
      stopPatience?.()
      stopQuiet?.()
      stopQuiet = clock.after(QUIET_MS, () => void save())
    },
    async close() {
      stopPatience?.()
      stopQuiet?.()
      await save()
    },
  }
}

/** Everything of the management server that is, or soon will be, in force. */
function recorded({ types, records }: SnapshotKeeperOptions): ReadonlyMap<string, readonly SnapshotResource[]> {
  const all = records()
  return new Map(
    types.map(({ typeUrl, encode }) => {
      const remote = (all.get(typeUrl) ?? []).filter(({ state }) => state !== 'static')
      return [typeUrl, remote.map(({ name, version, message }) => ({ name, version, value: toBase64(encode(message)) }))] as const
    }),
  )
}

function updateOf({ typeUrl, decode }: ResourceType<object>, list: readonly SnapshotResource[]): readonly ReceivedUpdate[] {
  if (list.length === 0) return []
  const resources = list.map(({ name, version, value }) => ({ name, version, message: decode(Buffer.from(value, 'base64')) }))
  return [{ typeUrl, version: '', nonce: '', resources, removed: [], controlPlane: '' }]
}

const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
