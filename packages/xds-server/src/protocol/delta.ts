import type { TypeView } from '../resource-view.js'
import { classifyNonce } from './nonces.js'
import { createPush, type Dialect } from './push.js'
import type { DeltaRequest, Effect, ProtocolOptions, StreamProtocol } from './stream-protocol.js'
import { applyDeltaNames } from './subscription.js'
import { noteAnswered, type TypeState } from './type-state.js'

/** Incremental xDS: requests add and remove names, responses hold what changed and say what is gone. */
export function createDeltaProtocol(options: ProtocolOptions): StreamProtocol<DeltaRequest> {
  const push = createPush(options, DIALECT)
  return {
    onRequest(request) {
      const { typeUrl, responseNonce, errorDetail } = request
      const first = !push.has(typeUrl)
      const state = push.state(typeUrl)
      const kind = classifyNonce(responseNonce, state.lastNonce)
      const effects: Effect[] = []
      // Only the answer is stale; the subscription in the same request counts (xds-protocol 22).
      if (kind === 'stale') effects.push({ kind: 'stale', typeUrl, nonce: responseNonce })
      const answered = kind === 'current' ? noteAnswered(state, errorDetail) : undefined
      if (answered !== undefined) effects.push(answered)
      const subscribed = subscribe(state, request, first)
      if (subscribed !== undefined) effects.push(subscribed)
      return push.flush(effects)
    },
    onSnapshot(next) {
      push.setSnapshot(next)
      return push.flush()
    },
    onHeartbeat: push.heartbeat,
    onAckTimeout(typeUrl, nonce) {
      push.release(typeUrl, nonce)
      return push.flush()
    },
    onGraceOver: push.endGrace,
    sendAgain: push.sendAgain,
    unanswered: push.unanswered,
    owesAnswers: push.owesAnswers,
    sent: push.sent,
  }
}

function subscribe(state: TypeState, request: DeltaRequest, first: boolean): Effect | undefined {
  // Most requests do nothing but answer.
  if (!first && request.subscribe.length === 0 && request.unsubscribe.length === 0) return undefined
  const { subscription, knowledge, rule } = state
  const wasWildcard = subscription.wildcard
  // Later than in the first request of a type they mean nothing (xds-protocol 44).
  const had = first ? request.initialResourceVersions : NONE
  if (first) {
    knowledge.reset(had)
    state.arrived = had.size > 0
  }
  const change = applyDeltaNames(subscription, request, { first, wildcardWhenEmpty: rule.wildcardWhenEmpty })
  if (change.wildcardRequested) {
    // A renewed wildcard is answered with everything again, a new one with what the client lacks.
    if (wasWildcard) knowledge.requestAll()
    else if (!first) knowledge.reset(explicitlyKnown(state))
    state.mustAnswer = true
  }
  // A client that comes with nothing waits for its first answer before it serves, even if there is nothing for it (Envoy's LDS and CDS).
  if (first && subscription.wildcard && had.size === 0) state.mustAnswer = true
  // Envoy's routes wait for the first answer before they serve, and ask for hosts only then.
  if (first && rule.onDemand && request.subscribe.length === 0) state.mustAnswer = true
  // What the client brought along in its current version is not sent again (xds-protocol 43).
  knowledge.request(change.requested.filter((name) => !had.has(name)))
  if (!change.changed) return undefined
  return { kind: 'subscribed', typeUrl: rule.typeUrl, wildcard: subscription.wildcard, names: subscription.names.size }
}

const NONE: ReadonlyMap<string, string> = new Map()

function* explicitlyKnown(state: TypeState): Iterable<[string, string]> {
  for (const name of state.subscription.names) {
    const known = state.knowledge.get(name)
    if (known !== undefined) yield [name, known.version]
  }
}

const NO_NAMES: readonly string[] = []

const DIALECT: Dialect = {
  maySplit: () => true,
  isDue: (state, plan) => state.mustAnswer || plan.changed.size > 0 || plan.removed.size > 0,
  compose(state, view: TypeView, plan, { onlyRequested, holdRemovals }) {
    // Most pushes: all that is due goes.
    if (!onlyRequested && plan.removed.size === 0) {
      const { resources } = plan
      return resources.length > 0 || state.mustAnswer
        ? { resources, removed: NO_NAMES, version: view.version, left: NO_NAMES }
        : undefined
    }
    const mayChange = (name: string): boolean => !onlyRequested || plan.requested.has(name)
    const mayRemove = (name: string): boolean => (!onlyRequested && !holdRemovals) || plan.requested.has(name)
    const resources = [...plan.changed.values()].filter(({ name }) => mayChange(name))
    // On demand a client waits for a resource that answers to the name, if only to learn that there is none.
    const isUnresolved = (name: string): boolean => state.rule.onDemand && plan.requested.has(name)
    const removed = [...plan.removed].filter((name) => mayRemove(name) && !isUnresolved(name))
    const unresolved = [...plan.removed].filter(isUnresolved)
    if (resources.length + removed.length + unresolved.length === 0 && !state.mustAnswer) return undefined
    const left = [...plan.changed.keys()].filter((name) => !mayChange(name))
    for (const name of plan.removed) if (!mayRemove(name)) left.push(name)
    return { resources, removed, version: view.version, left, ...(unresolved.length === 0 ? {} : { unresolved }) }
  },
}
