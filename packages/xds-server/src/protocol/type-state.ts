import type { VersionedResource } from '@heddle/xds-types'
import type { TypeView } from '../resource-view.js'
import { type ClientKnowledge, createClientKnowledge } from './client-knowledge.js'
import type { Plan } from './plan.js'
import type { Effect, ErrorDetail, TypeRule } from './stream-protocol.js'
import { covers, createSubscription, type Subscription } from './subscription.js'

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
  /** The client came with resources of an earlier stream, and nothing has been said to them yet. */
  arrived: boolean
  /** Contents that were too large to be sent, and were told. */
  oversized: Set<string> | undefined
  /** The client waits for an answer even if there is nothing to tell. */
  mustAnswer: boolean
  /** What is gone, but not for a client that still asks for it by name: it may use it until the grace is over. */
  grace: 'none' | 'running' | 'over'
}

export function createTypeState(rule: TypeRule, pending?: (name: string) => boolean): TypeState {
  return {
    rule,
    subscription: createSubscription(),
    knowledge: createClientKnowledge(pending),
    view: undefined,
    lastNonce: undefined,
    awaiting: undefined,
    blocked: false,
    rejected: false,
    arrived: false,
    oversized: undefined,
    mustAnswer: false,
    grace: 'none',
  }
}

/** What would bring the client to `view`. */
export function planOf(state: TypeState, view: TypeView): Plan {
  const { subscription, knowledge } = state
  const byAlias = (name: string): boolean =>
    covers(subscription, name, view.get(name)?.aliases) || covers(subscription, name, knowledge.get(name)?.resource?.aliases)
  return knowledge.plan(view, (name) => covers(subscription, name) || byAlias(name))
}

/** Enters that `nonce` was sent. */
export function noteSent(state: TypeState, nonce: string, version: string): void {
  state.lastNonce = nonce
  state.awaiting = { nonce, version }
  state.blocked = true
  state.mustAnswer = false
  state.arrived = false
}

/** Enters that the client has answered the last response; `error` makes it a NACK. Undefined: it had answered it before. */
export function noteAnswered(state: TypeState, error: ErrorDetail | undefined): Effect | undefined {
  const { awaiting, lastNonce: nonce = '' } = state
  const { typeUrl } = state.rule
  const version = awaiting?.version ?? ''
  state.blocked = false
  state.awaiting = undefined
  if (error !== undefined) {
    state.rejected = true
    return { kind: 'nack', typeUrl, nonce, version, error }
  }
  // A later request with the same nonce changes the subscription, it is no second ACK.
  if (awaiting === undefined) return undefined
  state.rejected = false
  return { kind: 'ack', typeUrl, nonce, version }
}

/** There is nothing to send and nothing to tell. */
export function isCurrent({ knowledge, mustAnswer, arrived }: TypeState, view: TypeView): boolean {
  return !mustAnswer && !arrived && knowledge.has(view)
}

/** The client may still use what it had before: it has not answered, or has refused. */
export function isUnsettled(state: TypeState): boolean {
  return state.awaiting !== undefined || state.rejected
}

/** What the client has been sent of what it subscribes to. */
export function sentOf(state: TypeState): readonly VersionedResource[] {
  const { subscription, knowledge } = state
  return [...knowledge.resources()].filter(
    ({ name, aliases, error }) => error === undefined && covers(subscription, name, aliases),
  )
}
