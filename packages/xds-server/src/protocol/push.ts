import type { VersionedResource } from '@heddle/xds-types'
import { restrictView, type SnapshotView, type TypeView } from '../resource-view.js'
import { type ClientKnowledge, createClientKnowledge, type Plan } from './client-knowledge.js'
import { createNonces } from './nonces.js'
import { isRemovedLast, leadsTraffic, pushRank } from './push-order.js'
import type { Effect, ErrorDetail, ProtocolOptions, TypeRule } from './stream-protocol.js'
import { asksForAnything, covers, createSubscription, type Subscription } from './subscription.js'

/** Everything a stream remembers of one type. */
export interface TypeState {
  readonly rule: TypeRule
  readonly subscription: Subscription
  readonly knowledge: ClientKnowledge
  /** The newest view that can be served. */
  view: TypeView | undefined
  lastNonce: string | undefined
  /** The response that the client has neither accepted nor refused. */
  awaiting: { readonly nonce: string; readonly version: string } | undefined
  /** Newer content waits for that answer: one response in flight per type (xds-protocol 57). */
  blocked: boolean
  /** The client's last word was a NACK: it still uses what it had. */
  rejected: boolean
  /** The client waits for an answer even if there is nothing to tell. */
  mustAnswer: boolean
}

/** How far a push of one type may go. */
export interface Scope {
  /** Something earlier in the order has to go first: only what the client asked for is sent. */
  readonly onlyRequested: boolean
  /** Routes may still lead to what is to be removed: removals wait. */
  readonly holdRemovals: boolean
}

export interface Composed {
  readonly resources: readonly VersionedResource[]
  readonly removed: readonly string[]
  readonly version: string
  /** Names of the plan that this response does not settle. */
  readonly left: Iterable<string>
}

/** Where SotW and Delta differ: what a plan becomes on the wire. */
export interface Dialect {
  isDue(state: TypeState, plan: Plan): boolean
  /** Undefined: nothing may be sent within `scope`. */
  compose(state: TypeState, view: TypeView, plan: Plan, scope: Scope): Composed | undefined
}

/** The part that both protocols share: order, one response in flight, warming, and who has answered what. */
export interface Push {
  has(typeUrl: string): boolean
  state(typeUrl: string): TypeState
  setSnapshot(next: SnapshotView): void
  /** The client answered the last response of the type. */
  answered(state: TypeState, error: ErrorDetail | undefined): readonly Effect[]
  /** Newer content of the type need not wait for `nonce` any longer. */
  release(typeUrl: string, nonce: string): void
  /** Sends all that is due and may go now, in order. */
  flush(): readonly Effect[]
  unanswered(): readonly string[]
  sent(): ReadonlyMap<string, readonly VersionedResource[]>
}

export function createPush(options: ProtocolOptions, dialect: Dialect): Push {
  const { ruleOf, streamId, allow } = options
  const nonces = createNonces(streamId)
  const states = new Map<string, TypeState>()
  const notes: Effect[] = []
  let ordered: readonly TypeState[] = []
  let snapshot: SnapshotView | undefined

  const updateView = (state: TypeState): void => {
    const view = snapshot?.type(state.rule.typeUrl)
    // A view with a broken resource is not served, not even in part: the last good one stays (xds-protocol 63).
    if (view === undefined) return
    if (view.diagnostics.length > 0) {
      notes.push({ kind: 'broken', typeUrl: state.rule.typeUrl, diagnostics: view.diagnostics })
      return
    }
    state.view = allow === undefined ? view : restrictView(view, (name) => allow(state.rule.typeUrl, name))
  }
  const planOf = (state: TypeState, view: TypeView): Plan =>
    state.knowledge.plan(view, (name) => covers(state.subscription, name))
  const isDue = (state: TypeState): boolean => state.view !== undefined && dialect.isDue(state, planOf(state, state.view))
  const trafficMoves = (): boolean =>
    ordered.some((state) => leadsTraffic(state.rule.typeUrl) && asksForAnything(state.subscription) && isMoving(state))
  const isMoving = (state: TypeState): boolean => state.awaiting !== undefined || state.rejected || isDue(state)

  const warm = (source: TypeState, resources: Iterable<VersionedResource>): void => {
    for (const resource of resources) {
      for (const { typeUrl, name } of source.rule.references(resource)) {
        const target = states.get(typeUrl)
        if (target === undefined || pushRank(typeUrl) <= pushRank(source.rule.typeUrl)) continue
        if (covers(target.subscription, name) && target.view?.get(name) !== undefined) target.knowledge.request([name])
      }
    }
  }
  const send = (state: TypeState, view: TypeView, behind: boolean): Effect[] => {
    const plan = planOf(state, view)
    if (!dialect.isDue(state, plan)) {
      state.knowledge.commit(view, [])
      return []
    }
    // A client that comes from another server still routes by what it had there, and asks for listeners and routes only next.
    const arriving = state.lastNonce === undefined && state.mustAnswer
    const holdRemovals = plan.removed.size > 0 && isRemovedLast(state.rule.typeUrl) && (arriving || trafficMoves())
    const composed = dialect.compose(state, view, plan, { onlyRequested: behind && !state.mustAnswer, holdRemovals })
    if (composed === undefined) return []
    const { resources, removed, version, left } = composed
    const { typeUrl } = state.rule
    const nonce = nonces.next()
    const leftNames = new Set(left)
    state.knowledge.commit(view, leftNames)
    state.lastNonce = nonce
    state.awaiting = { nonce, version }
    state.blocked = true
    state.mustAnswer = false
    warm(
      state,
      [...plan.changed.values()].filter((resource) => !leftNames.has(resource.name)),
    )
    return [{ kind: 'send', response: { typeUrl, version, nonce, resources, removed } }]
  }

  return {
    has: (typeUrl) => states.has(typeUrl),
    state(typeUrl) {
      let state = states.get(typeUrl)
      if (state === undefined) {
        state = newState(ruleOf(typeUrl))
        states.set(typeUrl, state)
        ordered = [...states.values()].sort((a, b) => pushRank(a.rule.typeUrl) - pushRank(b.rule.typeUrl))
        updateView(state)
      }
      return state
    },
    setSnapshot(next) {
      snapshot = next
      for (const state of ordered) updateView(state)
    },
    answered(state, error) {
      const { awaiting, lastNonce: nonce = '' } = state
      const { typeUrl } = state.rule
      const version = awaiting?.version ?? ''
      state.blocked = false
      state.awaiting = undefined
      if (error !== undefined) {
        state.rejected = true
        return [{ kind: 'nack', typeUrl, nonce, version, error }]
      }
      // A later request with the same nonce changes the subscription, it is no second ACK.
      if (awaiting === undefined) return []
      state.rejected = false
      return [{ kind: 'ack', typeUrl, nonce, version }]
    },
    release(typeUrl, nonce) {
      const state = states.get(typeUrl)
      if (state?.awaiting?.nonce === nonce) state.blocked = false
    },
    flush() {
      const effects: Effect[] = notes.splice(0)
      let behind = false
      for (const state of ordered) {
        if (state.view === undefined) continue
        // Removals hold up nobody: they come last anyway.
        if (state.blocked) behind ||= planOf(state, state.view).changed.size > 0
        else effects.push(...send(state, state.view, behind))
      }
      return effects
    },
    sent: () => new Map(ordered.map((state) => [state.rule.typeUrl, sentOf(state)])),
    unanswered: () => ordered.filter((state) => state.awaiting !== undefined).map((state) => state.rule.typeUrl),
  }
}

function sentOf(state: TypeState): VersionedResource[] {
  return [...state.knowledge.resources()].filter(({ name }) => covers(state.subscription, name))
}

function newState(rule: TypeRule): TypeState {
  return {
    rule,
    subscription: createSubscription(),
    knowledge: createClientKnowledge(),
    view: undefined,
    lastNonce: undefined,
    awaiting: undefined,
    blocked: false,
    rejected: false,
    mustAnswer: false,
  }
}
