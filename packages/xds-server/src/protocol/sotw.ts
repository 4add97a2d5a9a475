import type { VersionedResource } from '@heddle/xds-types'
import { isCollection } from '../resource-name.js'
import type { TypeView } from '../resource-view.js'
import { classifyNonce } from './nonces.js'
import { createPush, type Dialect } from './push.js'
import type { Effect, ProtocolOptions, SotwRequest, StreamProtocol } from './stream-protocol.js'
import { applySotwNames, covers } from './subscription.js'
import { noteAnswered, type TypeState } from './type-state.js'

/** State of the world: every request lists the whole subscription; LDS and CDS responses hold everything, the others what is new. */
export function createSotwProtocol(options: ProtocolOptions): StreamProtocol<SotwRequest> {
  const push = createPush(options, DIALECT)
  return {
    onRequest(request) {
      const { typeUrl, responseNonce, errorDetail } = request
      const first = !push.has(typeUrl)
      const state = push.state(typeUrl)
      const kind = classifyNonce(responseNonce, state.lastNonce)
      if (kind === 'stale') return [{ kind: 'stale', typeUrl, nonce: responseNonce }]
      const effects: Effect[] = []
      const answered = kind === 'current' ? noteAnswered(state, errorDetail) : undefined
      if (answered !== undefined) effects.push(answered)
      const change = applySotwNames(state.subscription, request, { first, wildcardWhenEmpty: state.rule.wildcardWhenEmpty })
      // Asked again without a nonce and with nothing changed: the client lost what it had (xds-protocol 20).
      const again = kind === 'spontaneous' && state.lastNonce !== undefined && state.awaiting === undefined && !change.changed
      if (again || change.wildcardRequested) {
        state.knowledge.requestAll()
        state.mustAnswer = state.rule.fullStateInSotw
      }
      state.knowledge.request(change.requested)
      if (change.changed) {
        const { wildcard, names } = state.subscription
        effects.push({ kind: 'subscribed', typeUrl, wildcard, names: names.size })
      }
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

const DIALECT: Dialect = {
  maySplit: (state) => !state.rule.fullStateInSotw,
  isDue(state, plan) {
    if (state.mustAnswer || plan.changed.size > 0) return true
    // Only a type that lists everything can say that something is gone (xds-protocol 52, 53).
    return state.rule.fullStateInSotw && plan.removed.size > 0
  },
  compose(state, view, plan, { onlyRequested, holdRemovals }) {
    if (state.rule.fullStateInSotw) {
      if (onlyRequested && plan.requested.size === 0) return undefined
      const held = holdRemovals ? heldBack(state, plan.removed) : []
      if (held.length > 0 && plan.changed.size === 0 && !state.mustAnswer && plan.requested.size === 0) return undefined
      return {
        // An error is told once, not in each response (cncf/xds TP3).
        resources: [...subscribed(state, view), ...held].filter(
          ({ name, error }) => error === undefined || plan.changed.has(name),
        ),
        removed: [],
        // The content with what is still held back is another version than the content without.
        version: held.length > 0 ? `${view.version}+held` : view.version,
        left: held.map((resource) => resource.name),
      }
    }
    const resources = [...plan.changed.values()].filter(({ name }) => !onlyRequested || plan.requested.has(name))
    if (resources.length === 0) return undefined
    const sent = new Set(resources.map((resource) => resource.name))
    return { resources, removed: [], version: view.version, left: [...plan.changed.keys()].filter((name) => !sent.has(name)) }
  },
}

function* subscribed(state: TypeState, view: TypeView): Iterable<VersionedResource> {
  const { wildcard, names } = state.subscription
  if (wildcard) {
    yield* view.resources()
    return
  }
  // A resource may have been asked for by several of its names.
  const seen = new Set<VersionedResource>()
  for (const name of names) {
    const resource = view.get(name)
    if (resource !== undefined && !seen.has(resource)) yield resource
    if (resource !== undefined) seen.add(resource)
  }
  if (![...names].some(isCollection)) return
  for (const resource of view.resources()) if (!seen.has(resource) && covers(state.subscription, resource.name)) yield resource
}

function heldBack(state: TypeState, removed: ReadonlySet<string>): VersionedResource[] {
  return [...removed]
    .filter((name) => covers(state.subscription, name))
    .map((name) => state.knowledge.get(name)?.resource)
    .filter((resource) => resource !== undefined)
}
