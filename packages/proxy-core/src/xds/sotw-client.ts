import type { SotwResponse } from '@heddle/xds-types/discovery'
import type { DiscoveryRequest } from '@heddle/xds-types/envoy/service/discovery/v3'
import type { SotwTypes } from './messages.js'
import { errorDetail } from './nack.js'
import { byTypeOrder, type ProtocolClient, type ReceivedResource, type ReceivedUpdate } from './protocol.js'

interface Subscription {
  all: boolean
  readonly names: Set<string>
  asked: boolean
  /** Of the last accepted response; it outlives streams. */
  version: string
  /** Of the last response on this stream. */
  nonce: string
  /** Names of the last accepted full state, to tell what a new one no longer holds. */
  held: Set<string>
}

/**
 * State-of-the-world xDS on one aggregated stream (xDS protocol, "Basic Protocol Overview"). Every request repeats all
 * names; a NACK repeats the last good version.
 */
export function createSotwClient(types: SotwTypes): ProtocolClient<DiscoveryRequest, SotwResponse> {
  const subscriptions = new Map<string, Subscription>()
  let streaming = false
  // Updates of the stream that is open: a nonce means nothing on another one.
  let current = new WeakSet<ReceivedUpdate>()

  const subscriptionOf = (typeUrl: string): Subscription => {
    let subscription = subscriptions.get(typeUrl)
    if (subscription === undefined) {
      subscription = { all: false, names: new Set(), asked: false, version: '', nonce: '', held: new Set() }
      subscriptions.set(typeUrl, subscription)
    }
    return subscription
  }

  return {
    method: '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources',

    subscribeAll(typeUrl) {
      const subscription = subscriptionOf(typeUrl)
      if (subscription.all) return []
      subscription.all = true
      return streaming ? [requestOf(typeUrl, subscription)] : []
    },

    begin: () => [],

    subscribe(typeUrl, add, drop) {
      const subscription = subscriptionOf(typeUrl)
      const before = subscription.names.size
      let changed = false
      for (const name of drop) if (!add.includes(name)) changed = subscription.names.delete(name) || changed
      const kept = subscription.names.size
      for (const name of add) subscription.names.add(name)
      changed ||= subscription.names.size !== kept
      if (!streaming || !changed) return []
      // Nothing was ever asked for, so there is nothing to take back.
      if (!subscription.asked && before === 0 && subscription.names.size === 0) return []
      return [requestOf(typeUrl, subscription)]
    },

    open() {
      streaming = true
      const active = [...subscriptions].filter(([, subscription]) => subscription.all || subscription.names.size > 0)
      return active.sort(([a], [b]) => byTypeOrder(a, b)).map(([typeUrl, subscription]) => requestOf(typeUrl, subscription))
    },

    close() {
      streaming = false
      current = new WeakSet()
      for (const subscription of subscriptions.values()) {
        subscription.asked = false
        subscription.nonce = ''
      }
    },

    lacks: () =>
      [...subscriptions.values()].some(
        ({ all, version, names, held }) => (all && version === '') || [...names].some((name) => !held.has(name)),
      ),

    receive(response) {
      const subscription = subscriptions.get(response.typeUrl)
      if (subscription === undefined) return undefined
      const resources = response.resources.map((value): ReceivedResource => {
        const message = types.decode(response.typeUrl, value)
        return { name: message.ok ? types.nameOf(response.typeUrl, message.value) : '', version: response.version, message }
      })
      const present = new Set(resources.map((resource) => resource.name))
      // A resource too broken to have a name may be any of those that seem to be gone.
      const complete = types.isFullState(response.typeUrl) && !present.has('')
      const removed = complete ? [...subscription.held].filter((name) => !present.has(name)) : []
      const { typeUrl, version, nonce, controlPlane } = response
      const update: ReceivedUpdate = { typeUrl, version, nonce, resources, removed, controlPlane }
      current.add(update)
      return update
    },

    acknowledge(update, rejections) {
      const subscription = subscriptionOf(update.typeUrl)
      if (current.has(update)) subscription.nonce = update.nonce
      const refused = new Set(rejections.map((rejection) => rejection.name))
      if (rejections.length === 0) subscription.version = update.version
      for (const name of update.removed) if (!refused.has(name)) subscription.held.delete(name)
      for (const { name } of update.resources) if (!refused.has(name)) subscription.held.add(name)
      const detail = errorDetail(rejections)
      return [{ ...requestOf(update.typeUrl, subscription), ...(detail !== undefined && { error_detail: detail }) }]
    },
  }
}

/** A wildcard alone is the empty list; beside names it is `*`. */
function requestOf(typeUrl: string, subscription: Subscription): DiscoveryRequest {
  subscription.asked = true
  const names = subscription.all && subscription.names.size > 0 ? ['*', ...subscription.names] : [...subscription.names]
  return {
    type_url: typeUrl,
    ...(subscription.version !== '' && { version_info: subscription.version }),
    ...(names.length > 0 && { resource_names: names }),
    ...(subscription.nonce !== '' && { response_nonce: subscription.nonce }),
  }
}
