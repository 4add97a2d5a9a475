import type { ParentReference } from '../../kinds/gateway-api/references.js'
import { type Condition, listIn, type Problem, withVerdicts } from '../status.js'
import { GATEWAY_CONTROLLER } from './classes.js'
import { type AnyRoute, type Attachment, refText } from './parents.js'

/** What a controller says about a route and one of its parents. */
interface ParentStatus {
  readonly parentRef: ParentReference
  readonly controllerName: string
  readonly conditions: readonly Condition[]
}

/** One reference may lead to many listeners: what is told is the best that came of it. */
interface Outcome {
  readonly ref: ParentReference
  readonly attachments: readonly Attachment[]
}

/** The status of a route: ours in the place where it stood, what other controllers say untouched, what is no parent any more left out. */
export function routeStatus(
  route: AnyRoute,
  attachments: readonly Attachment[],
  problemFor: (attachment: Attachment) => Problem | undefined,
): { readonly parents: readonly ParentStatus[] } {
  const { namespace, generation } = route.metadata
  const existing = listIn<ParentStatus>(route.status, 'parents')
  const before = new Map<string, ParentStatus>()
  for (const one of existing) {
    const text = isOurs(one) ? refText(one.parentRef, namespace) : undefined
    if (text !== undefined && !before.has(text)) before.set(text, one)
  }
  const now = new Map<string, ParentStatus>()
  for (const [text, { ref, attachments: own }] of outcomesOf(attachments, namespace)) {
    const conditions = withVerdicts(before.get(text)?.conditions ?? [], verdictsOf(own, problemFor(own[0]!)), generation)
    now.set(text, { parentRef: ref, controllerName: GATEWAY_CONTROLLER, conditions })
  }
  const kept = existing.flatMap((one) => {
    if (!isOurs(one)) return [one]
    const text = refText(one.parentRef, namespace)
    const next = before.get(text) === one ? now.get(text) : undefined
    now.delete(next === undefined ? '' : text)
    return next === undefined ? [] : [next]
  })
  const added = [...now].sort(([a], [b]) => (a < b ? 1 : -1)).map(([, one]) => one)
  return { parents: [...kept, ...added] }
}

function isOurs({ controllerName, parentRef }: ParentStatus): boolean {
  return controllerName === GATEWAY_CONTROLLER && typeof parentRef === 'object' && parentRef !== null
}

function outcomesOf(attachments: readonly Attachment[], namespace: string): ReadonlyMap<string, Outcome> {
  const outcomes = new Map<string, Outcome>()
  for (const one of attachments) {
    const text = refText(one.ref, namespace)
    const known = outcomes.get(text)
    outcomes.set(text, { ref: known?.ref ?? one.ref, attachments: [...(known?.attachments ?? []), one] })
  }
  return outcomes
}

/** The first that came of it wins: errors that say more about the route come before those of listeners that were not meant. */
const RANKS = ['NotAllowedByListeners', 'NoMatchingListenerHostname', 'ParentRefConflict', 'NoMatchingParent']

function verdictsOf(attachments: readonly Attachment[], problem: Problem | undefined) {
  const bound = attachments.filter(({ denied }) => denied === undefined).length
  const message = bound > 1 ? `Route was valid, bound to ${bound} parents` : 'Route was valid'
  return {
    Accepted: { reason: 'Accepted', message, problem: bound > 0 ? undefined : worst(attachments) },
    ResolvedRefs: { reason: 'ResolvedRefs', message: 'All references resolved', problem },
  }
}

function worst(attachments: readonly Attachment[]): Problem | undefined {
  const denials = attachments.flatMap(({ denied }) => denied ?? [])
  const reason = RANKS.find((one) => denials.some((denied) => denied.reason === one))
  if (reason === undefined) return denials[0]
  const messages = denials.filter((denied) => denied.reason === reason).map(({ message }) => message)
  return { reason, message: messages.join('; ') }
}
