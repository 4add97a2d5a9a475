import { collectionOf, isUri } from '../resource-name.js'
import type { DeltaRequest, SotwRequest } from './stream-protocol.js'

/** What a client asks for of one type. Names that do not exist stay subscribed: a later creation is pushed. */
export interface Subscription {
  wildcard: boolean
  readonly names: Set<string>
  /** An empty request means "everything" only until names have been seen (xds-protocol 28, 29). */
  namesSeen: boolean
}

/** What a request changed. */
export interface SubscriptionChange {
  /** Must be answered, even when the client had them before. */
  readonly requested: readonly string[]
  /** The wildcard is new or renewed: everything must be answered. */
  readonly wildcardRequested: boolean
  /** Anything is different from before. */
  readonly changed: boolean
}

const WILDCARD = '*'

export function createSubscription(): Subscription {
  return { wildcard: false, names: new Set(), namesSeen: false }
}

/** `aliases`: what else the resource is called. */
export function covers({ wildcard, names }: Subscription, name: string, aliases: readonly string[] = []): boolean {
  if (wildcard || names.has(name)) return true
  if (isUri(name) && names.has(collectionOf(name))) return true
  return aliases.some((alias) => names.has(alias))
}

export function asksForAnything(subscription: Subscription): boolean {
  return subscription.wildcard || subscription.names.size > 0
}

/** SotW: the request lists the whole subscription. `first`: the first request of the type on the stream. */
export function applySotwNames(
  subscription: Subscription,
  request: SotwRequest,
  options: { first: boolean; wildcardWhenEmpty: boolean },
): SubscriptionChange {
  // An empty string is no name; some clients send it to say "none" (xds-protocol 46).
  const names = new Set(request.resourceNames)
  const explicitWildcard = names.delete(WILDCARD)
  names.delete('')
  const listed = request.resourceNames.length > 0
  const wildcard = explicitWildcard || (!listed && options.wildcardWhenEmpty && !subscription.namesSeen)
  const requested = [...names].filter((name) => !subscription.names.has(name))
  const dropped = [...subscription.names].some((name) => !names.has(name))
  const wildcardRequested = wildcard && !subscription.wildcard
  const changed = options.first || requested.length > 0 || dropped || wildcard !== subscription.wildcard
  subscription.wildcard = wildcard
  subscription.namesSeen ||= listed
  subscription.names.clear()
  for (const name of names) subscription.names.add(name)
  return { requested, wildcardRequested, changed }
}

/** Delta: the request adds and removes. A name that is subscribed again is answered again (xds-protocol 37). */
export function applyDeltaNames(
  subscription: Subscription,
  request: DeltaRequest,
  options: { first: boolean; wildcardWhenEmpty: boolean },
): SubscriptionChange {
  const requested = new Set<string>()
  let changed = options.first
  let wildcardRequested = false
  const before = subscription.wildcard
  if (options.first && options.wildcardWhenEmpty && request.subscribe.length === 0) {
    subscription.wildcard = true
    wildcardRequested = true
  }
  for (const name of request.unsubscribe) {
    if (name === WILDCARD) subscription.wildcard = false
    // Under a wildcard the client cannot know whether the dropped name is still in it, so it is told (xds-protocol 39).
    else if (subscription.names.delete(name)) {
      changed = true
      if (subscription.wildcard) requested.add(name)
    }
  }
  for (const name of request.subscribe) {
    if (name === '') continue
    changed = true
    if (name === WILDCARD) {
      subscription.wildcard = true
      wildcardRequested = true
    } else {
      subscription.names.add(name)
      requested.add(name)
    }
  }
  subscription.namesSeen ||= subscription.names.size > 0
  return { requested: [...requested], wildcardRequested, changed: changed || before !== subscription.wildcard }
}
