import type { Clock } from '@heddle/runtime'
import type { VersionedResource } from '@heddle/xds-types'
import type { Events, XdsEvent } from './events.js'
import type { Effect, Response } from './protocol/stream-protocol.js'
import { createTypeRecord, noteAcked, noteNacked, type TypeRecord, type TypeStatus, typeStatus } from './status.js'

/** An event without what all events have. */
export type EventBody = XdsEvent extends infer E ? (E extends XdsEvent ? Omit<E, 'at' | 'streamId' | 'nodeId'> : never) : never

/** The book of one stream: what status and events tell of it. */
export interface StreamRecord {
  /** By type URL, in order of the first request. */
  types(): ReadonlyMap<string, TypeStatus>
  /** What the last response of a type held, as long as the client has not accepted it. */
  open(typeUrl: string): readonly VersionedResource[]
  /** Of these, what the client has refused. */
  refused(typeUrl: string): readonly VersionedResource[]
  /** Names that the stream subscribes to, over all types. */
  names(): number
  emit(body: EventBody): void
  /** `parts`: the message. */
  sent(response: Response, parts: readonly Uint8Array[]): void
  /** Enters what the client has said. */
  heard(effect: Exclude<Effect, { kind: 'send' }>): void
}

export function createStreamRecord(clock: Clock, events: Events, streamId: string, nodeId: () => string): StreamRecord {
  const types = new Map<string, TypeRecord>()
  const recordOf = (typeUrl: string): TypeRecord => {
    let record = types.get(typeUrl)
    if (record === undefined) types.set(typeUrl, (record = createTypeRecord(typeUrl)))
    return record
  }
  const emit = (body: EventBody): void => {
    if (events.observed()) events.emit({ at: clock.now(), streamId, nodeId: nodeId(), ...body })
  }
  return {
    types: () => new Map([...types].map(([typeUrl, record]) => [typeUrl, typeStatus(record)])),
    open: (typeUrl) => types.get(typeUrl)?.open ?? [],
    refused(typeUrl) {
      const { open = [], nacked } = types.get(typeUrl) ?? {}
      const names = new Set(nacked?.resources)
      return open.filter(({ name }) => names.has(name))
    },
    names() {
      let sum = 0
      for (const { names } of types.values()) sum += names
      return sum
    },
    emit,
    sent({ typeUrl, version, nonce, resources, removed }, parts) {
      const record = recordOf(typeUrl)
      record.sent = { version, nonce, at: clock.now() }
      record.open = resources
      if (!events.observed()) return
      const bytes = parts.reduce((sum, { length }) => sum + length, 0)
      emit({ kind: 'sent', typeUrl, version, nonce, resources: resources.length, removed: removed.length, bytes })
    },
    heard(effect) {
      const record = recordOf(effect.typeUrl)
      switch (effect.kind) {
        case 'ack':
          noteAcked(record, clock.now(), effect.nonce)
          if (events.observed()) emit({ ...effect, kind: 'acked' })
          break
        case 'nack':
          noteNacked(record, clock.now(), effect.nonce, effect.error)
          emit({ ...effect, kind: 'nacked', resources: record.nacked?.resources ?? [] })
          break
        case 'current':
          record.sent = record.acked = { version: effect.version, nonce: '', at: clock.now() }
          break
        case 'stale':
          emit({ ...effect, kind: 'stale-nonce' })
          break
        case 'broken':
          emit({ ...effect, kind: 'broken-resources' })
          break
        case 'oversized':
          emit(effect)
          break
        case 'subscribed':
          record.wildcard = effect.wildcard
          record.names = effect.names
          emit(effect)
          break
      }
    },
  }
}
