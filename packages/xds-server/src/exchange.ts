import type { Unsubscribe } from '@heddle/runtime'
import type { ResourceSet, VersionedResource } from '@heddle/xds-types'
import type { ResourceAccess } from './access.js'
import { createHeartbeats } from './heartbeats.js'
import { knowsTtl, type NodeInfo } from './node.js'
import { createProgress, type Progress } from './progress.js'
import type { Effect, Response, TypeRule } from './protocol/stream-protocol.js'
import type { PushTarget } from './push-scheduler.js'
import { createSearches } from './searches.js'
import type { SessionOptions, TypedRequest } from './session-options.js'
import type { WriteOptions } from './shared-bodies.js'
import type { StreamRecord } from './stream-record.js'
import { createStuckWatch } from './stuck.js'
import { type CloseStatus, STATUS } from './transport.js'
import { createTypeTimers } from './type-timers.js'

const NOTHING_YET: ResourceSet = { groups: [] }

/** How an exchange ends its stream. */
export interface Ending {
  /** Runs something and turns what it throws into the end of the stream. */
  guard(run: () => void): void
  refuse(status: CloseStatus): void
}

/** The part of a session that begins when the node is known. */
export interface Exchange<Request> {
  readonly node: NodeInfo
  readonly target: PushTarget
  readonly progress: Progress
  sent(): ReadonlyMap<string, readonly VersionedResource[]>
  onRequest(request: Request): void
  onDrain(): void
  stop(): void
}

export function createExchange<Request extends TypedRequest>(
  options: SessionOptions<Request>,
  node: NodeInfo,
  record: StreamRecord,
  { guard, refuse }: Ending,
): Exchange<Request> {
  const { context, transport, codec, streamId, identity } = options
  const { scheduler, authorize, limits, quarantine } = context
  const progress = createProgress()
  let slow = false
  let stopped = false
  // When the first change, or request, came that the client has not got everything for.
  let behindSince: number | undefined

  const accessTo = (typeUrl: string, name: string): ResourceAccess => ({ node, identity, typeUrl, name })
  const allow = authorize === undefined ? undefined : (typeUrl: string, name: string) => authorize(accessTo(typeUrl, name))
  const { lookup } = context
  const searches =
    lookup &&
    createSearches({
      // What a client may not see is not looked for either.
      lookup: (typeUrl, name) => ((allow?.(typeUrl, name) ?? true) !== true ? undefined : lookup(accessTo(typeUrl, name))),
      ended() {
        progress.want()
        scheduler.schedule(target)
      },
    })
  const protocol = options.createProtocol({
    streamId,
    // The session lets only types with a rule through.
    ruleOf: (typeUrl) => ruleFor(context.ruleOf(typeUrl)!, context.wildcardWhenEmpty?.(typeUrl, node)),
    maxResponseBytes: limits.responseBytes,
    removalGrace: context.removalGraceMs > 0,
    ...(searches === undefined ? {} : { pending: searches.pending }),
    ...(allow === undefined ? {} : { allow }),
  })
  const timers = createTypeTimers(context.clock, context.ackTimeoutMs, (typeUrl, nonce) => {
    record.emit({ kind: 'unanswered', typeUrl, nonce })
    guard(() => run(protocol.onAckTimeout(typeUrl, nonce)))
  })
  const graces = createTypeTimers(context.clock, context.removalGraceMs, (typeUrl) =>
    guard(() => run(protocol.onGraceOver(typeUrl))),
  )
  const ttl = knowsTtl(node, options.variant)
  const writing: WriteOptions = { identifier: context.identifier, ttl }
  const heartbeats = ttl ? createHeartbeats(context.clock, () => guard(() => run(protocol.onHeartbeat()))) : undefined
  const stuck = createStuckWatch(context.clock, limits.stuckAfterMs, refuse)
  const owes = (): boolean => slow || protocol.owesAnswers()
  const send = (response: Response): void => {
    const parts = codec.write(response, writing)
    heartbeats?.sent(response.resources)
    record.sent(response, parts)
    timers.start(response.typeUrl, response.nonce)
    behindSince ??= context.clock.monotonic()
    if (!transport.write(parts)) slow = true
    stuck.owes()
  }
  /** Takes back for everybody what the client has refused; what else was in that response it gets again. */
  const isolate = (typeUrl: string): void => {
    const set = watch.current
    const resources = set === undefined ? undefined : quarantine?.refused(set, typeUrl, record.refused(typeUrl))
    if (resources === undefined || resources.length === 0) return
    protocol.sendAgain(
      typeUrl,
      record.open(typeUrl).map(({ name }) => name),
    )
    record.emit({ kind: 'quarantined', typeUrl, resources })
  }
  const run = (effects: readonly Effect[]): void => {
    for (const effect of effects) {
      // A listener, or the transport, may have ended the stream in between.
      if (stopped) return
      if (effect.kind === 'send') {
        send(effect.response)
        continue
      }
      if (effect.kind === 'grace') {
        graces.start(effect.typeUrl, '')
        continue
      }
      if (effect.kind === 'ack' || effect.kind === 'nack') {
        timers.stop(effect.typeUrl)
        stuck.alive(owes())
      }
      if (effect.kind === 'ack' && watch.current !== undefined)
        quarantine?.accepted(watch.current, effect.typeUrl, record.open(effect.typeUrl))
      record.heard(effect)
      if (effect.kind === 'nack') isolate(effect.typeUrl)
    }
    if (!progress.note(protocol.owesAnswers())) return
    record.emit({ kind: 'settled', tookMs: context.clock.monotonic() - (behindSince ?? context.clock.monotonic()) })
    behindSince = undefined
  }
  const subscribe = (effects: readonly Effect[]): void => {
    run(effects)
    const names = record.names()
    if (!stopped && names > limits.namesPerStream) {
      const message = `the stream subscribes to ${names} names; ${limits.namesPerStream} are allowed`
      refuse({ code: STATUS.resourceExhausted, message })
    }
  }
  const watch = context.resources(node, identity)
  const fits = (set: ResourceSet): boolean => {
    const diagnostics = context.consistency === 'off' ? [] : context.check(set)
    if (diagnostics.length > 0) record.emit({ kind: 'inconsistent', diagnostics })
    return diagnostics.length === 0 || context.consistency === 'warn'
  }
  const pushNewest = (): void => {
    const set = watch.current
    searches?.settle()
    run(set !== undefined && fits(set) ? protocol.onSnapshot(context.views(set)) : [])
  }
  const target: PushTarget = {
    push() {
      // A slow reader gets the newest state when it has caught up, not everything in between (xds-protocol 77).
      if (stopped || slow || !progress.take(watch.current?.version)) return
      guard(pushNewest)
    },
  }
  const unwatch: Unsubscribe = watch.subscribe((set) => {
    progress.want(set?.version)
    behindSince ??= context.clock.monotonic()
    scheduler.schedule(target)
  })
  return {
    node,
    target,
    progress,
    sent: protocol.sent,
    onRequest(request) {
      searches?.begin(request.typeUrl, codec.namesOf(request), context.views(watch.current ?? NOTHING_YET))
      subscribe(protocol.onRequest(request))
    },
    onDrain() {
      slow = false
      stuck.alive(owes())
      scheduler.schedule(target)
    },
    stop() {
      stopped = true
      unwatch()
      scheduler.cancel(target)
      timers.stopAll()
      graces.stopAll()
      heartbeats?.stop()
      stuck.stop()
    },
  }
}

function ruleFor(rule: TypeRule, wildcardWhenEmpty = rule.wildcardWhenEmpty): TypeRule {
  return wildcardWhenEmpty === rule.wildcardWhenEmpty ? rule : { ...rule, wildcardWhenEmpty }
}
