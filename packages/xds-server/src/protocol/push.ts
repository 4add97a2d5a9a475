import type { VersionedResource } from '@heddle/xds-types'
import { restrictView, type SnapshotView, type TypeView } from '../resource-view.js'
import { createNonces, type Nonces } from './nonces.js'
import type { Plan } from './plan.js'
import { isRemovedLast, leadsTraffic, pushRank } from './push-order.js'
import { fitted, NOTHING } from './response-size.js'
import type { Effect, ProtocolOptions, Response } from './stream-protocol.js'
import { asksForAnything } from './subscription.js'
import { createTypeState, isCurrent, isUnsettled, noteSent, planOf, sentOf, type TypeState } from './type-state.js'
import { requestReferences } from './warming.js'

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
  readonly unresolved?: readonly string[]
  readonly version: string
  /** Names of the plan that this response does not settle. */
  readonly left: readonly string[]
}

/** Where SotW and Delta differ: what a plan becomes on the wire. */
export interface Dialect {
  isDue(state: TypeState, plan: Plan): boolean
  /** Whether a response may hold a part of what is due. */
  maySplit(state: TypeState): boolean
  /** Undefined: nothing may be sent within `scope`. */
  compose(state: TypeState, view: TypeView, plan: Plan, scope: Scope): Composed | undefined
}

/** The part that both protocols share: order, one response in flight, warming, and who has answered what. */
export interface Push {
  has(typeUrl: string): boolean
  state(typeUrl: string): TypeState
  setSnapshot(next: SnapshotView): void
  /** Newer content of the type need not wait for `nonce` any longer. */
  release(typeUrl: string, nonce: string): void
  /** What is gone of the type is told even to who still asks for it. */
  endGrace(typeUrl: string): readonly Effect[]
  /** Sends all that is due and may go now, in order; what that takes follows `effects`. */
  flush(effects?: Effect[]): readonly Effect[]
  /** Tells of each resource with a TTL that it is still what it is. A type whose client owes an answer waits for the next time. */
  heartbeat(): readonly Effect[]
  sendAgain(typeUrl: string, names: Iterable<string>): void
  unanswered(): readonly string[]
  owesAnswers(): boolean
  sent(): ReadonlyMap<string, readonly VersionedResource[]>
}

export function createPush(options: ProtocolOptions, dialect: Dialect): Push {
  const states = new Map<string, TypeState>()
  const notes: Effect[] = []
  const nonces = createNonces(options.streamId)
  const sender = createSender(nonces, dialect, states, options)
  let snapshot: SnapshotView | undefined

  const ordered = (): readonly TypeState[] => [...states.values()]
  const updateView = (state: TypeState): void => {
    const { typeUrl } = state.rule
    const view = snapshot?.type(typeUrl)
    if (view === undefined) return
    // A view with a broken resource is not served, not even in part: the last good one stays (xds-protocol 63).
    if (view.diagnostics.length > 0) notes.push({ kind: 'broken', typeUrl, diagnostics: view.diagnostics })
    else state.view = restrict(view, state, options.allow)
  }
  const flush = (effects: Effect[]): readonly Effect[] => {
    for (const note of notes) effects.push(note)
    notes.length = 0
    let behind = false
    for (const state of states.values()) {
      const { view } = state
      if (view === undefined || isCurrent(state, view)) continue
      // Removals hold up nobody: they come last anyway.
      if (state.blocked) behind ||= planOf(state, view).changed.size > 0
      else sender(state, view, behind, effects)
    }
    return effects
  }
  return {
    has: (typeUrl) => states.has(typeUrl),
    state(typeUrl) {
      const known = states.get(typeUrl)
      if (known !== undefined) return known
      const { pending } = options
      const state = createTypeState(options.ruleOf(typeUrl), pending && ((name) => pending(typeUrl, name)))
      insertInOrder(states, state)
      updateView(state)
      return state
    },
    setSnapshot(next) {
      snapshot = next
      for (const state of states.values()) updateView(state)
    },
    release(typeUrl, nonce) {
      const state = states.get(typeUrl)
      if (state?.awaiting?.nonce === nonce) state.blocked = false
    },
    flush: (effects = []) => flush(effects),
    endGrace(typeUrl) {
      const state = states.get(typeUrl)
      if (state?.grace !== 'running') return []
      state.grace = 'over'
      return flush([])
    },
    heartbeat: () =>
      ordered().flatMap((state) => {
        // After a NACK the client has something else than what was sent last.
        const heartbeats = state.blocked || state.rejected ? [] : sentOf(state).filter(({ ttl }) => ttl !== undefined)
        if (heartbeats.length === 0) return []
        const { typeUrl } = state.rule
        const [nonce, version] = [nonces.next(), state.view?.version ?? '']
        noteSent(state, nonce, version)
        return [{ kind: 'send', response: { typeUrl, version, nonce, resources: [], removed: [], heartbeats } } as const]
      }),
    sent: () => new Map(ordered().map((state) => [state.rule.typeUrl, sentOf(state)])),
    sendAgain: (typeUrl, names) => states.get(typeUrl)?.knowledge.request(names),
    owesAnswers() {
      for (const { awaiting } of states.values()) if (awaiting !== undefined) return true
      return false
    },
    unanswered: () =>
      ordered()
        .filter((state) => state.awaiting !== undefined)
        .map((state) => state.rule.typeUrl),
  }
}

/** Sends what is due of one type, as far as it may go; `behind`: something earlier in the order has to go first. */
type Sender = (state: TypeState, view: TypeView, behind: boolean, effects: Effect[]) => void

function createSender(
  nonces: Nonces,
  dialect: Dialect,
  states: ReadonlyMap<string, TypeState>,
  { maxResponseBytes = Number.POSITIVE_INFINITY, removalGrace = false }: ProtocolOptions,
): Sender {
  const isDue = (state: TypeState): boolean => state.view !== undefined && dialect.isDue(state, planOf(state, state.view))
  const mayStillLead = (state: TypeState): boolean =>
    leadsTraffic(state.rule.typeUrl) && asksForAnything(state.subscription) && (isUnsettled(state) || isDue(state))
  const holdsRemovals = (state: TypeState, plan: Plan, effects: Effect[]): boolean => {
    if (plan.removed.size === 0 || !isRemovedLast(state.rule.typeUrl)) return false
    // A client that comes from another server still routes by what it had there, and asks for listeners and routes only next.
    const arriving = state.lastNonce === undefined && state.mustAnswer
    return arriving || [...states.values()].some(mayStillLead) || (removalGrace && hasGrace(state, plan, effects))
  }
  return (state, view, behind, effects) => {
    const plan = planOf(state, view)
    const { typeUrl } = state.rule
    if (!dialect.isDue(state, plan)) {
      state.grace = 'none'
      state.knowledge.commit(view, NOTHING)
      if (state.arrived) effects.push({ kind: 'current', typeUrl, version: view.version })
      state.arrived = false
      return
    }
    const scope: Scope = { onlyRequested: behind && !state.mustAnswer, holdRemovals: holdsRemovals(state, plan, effects) }
    const composed = dialect.compose(state, view, plan, scope)
    if (composed === undefined) return
    const { removed, version, unresolved } = composed
    const { resources, left, oversized } = fitted(state, composed, maxResponseBytes, dialect.maySplit(state))
    effects.push(...oversized)
    if (resources === undefined) return
    const nonce = nonces.next()
    state.knowledge.commit(view, left)
    noteSent(state, nonce, version)
    if (!scope.holdRemovals) state.grace = 'none'
    requestReferences(states, state, left.size === 0 ? plan.resources : plan.resources.filter(({ name }) => !left.has(name)))
    const response: Response = { typeUrl, version, nonce, resources, removed }
    effects.push({ kind: 'send', response: unresolved === undefined ? response : { ...response, unresolved } })
  }
}

/**
 * A gRPC client asks for a cluster by name as long as a call may go to it, which is longer than its routes lead there: a call that was routed before
 * would fail for want of the cluster.
 */
function hasGrace(state: TypeState, plan: Plan, effects: Effect[]): boolean {
  const { rule, subscription, knowledge } = state
  const isUsed = (name: string): boolean => subscription.names.has(name) && knowledge.get(name) !== undefined
  // Endpoints end with their cluster.
  if (!rule.fullStateInSotw || ![...plan.removed].some(isUsed)) return false
  if (state.grace === 'none') {
    state.grace = 'running'
    effects.push({ kind: 'grace', typeUrl: rule.typeUrl })
  }
  return state.grace === 'running'
}

/** Keeps the map's own order that of a push; types of equal rank stand as they came. */
function insertInOrder(states: Map<string, TypeState>, state: TypeState): void {
  const all = [...states.values(), state].sort((a, b) => pushRank(a.rule.typeUrl) - pushRank(b.rule.typeUrl))
  states.clear()
  for (const each of all) states.set(each.rule.typeUrl, each)
}

function restrict(view: TypeView, { rule, subscription }: TypeState, allow: ProtocolOptions['allow']): TypeView {
  if (allow === undefined) return view
  return restrictView(
    view,
    (name) => allow(rule.typeUrl, name),
    (name) => subscription.names.has(name),
  )
}
