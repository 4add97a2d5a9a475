import type { DeltaResponse } from '@heddle/xds-types/discovery'
import type { DeltaDiscoveryRequest } from '@heddle/xds-types/envoy/service/discovery/v3'
import type { DecodeResource } from './messages.js'
import { errorDetail } from './nack.js'
import { byTypeOrder, type ProtocolClient, type ReceivedResource, type ReceivedUpdate } from './protocol.js'

/** What is subscribed of one type, and what of it is on the stream that is open now. */
interface Subscription {
  all: boolean
  /** Is asked for even without names. */
  begun: boolean
  readonly names: Set<string>
  /** The current stream has carried a request of this type. */
  asked: boolean
  /** Versions of accepted resources; they outlive streams and become initial_resource_versions. */
  readonly versions: Map<string, string>
  /** Names that the server has said stand for nothing. */
  readonly absent: Set<string>
  /** A response of this type was taken. */
  answered: boolean
}

const WILDCARD = '*'

/**
 * Delta xDS (xDS protocol, "Incremental xDS"). Versions are kept per resource, so that a new stream, to whichever replica,
 * brings only what has changed; a refused resource keeps the version of the last good one.
 */
export function createDeltaClient(decode: DecodeResource): ProtocolClient<DeltaDiscoveryRequest, DeltaResponse> {
  const subscriptions = new Map<string, Subscription>()
  let streaming = false

  const subscriptionOf = (typeUrl: string): Subscription => {
    let subscription = subscriptions.get(typeUrl)
    if (subscription === undefined) {
      subscription = {
        all: false,
        begun: false,
        names: new Set(),
        asked: false,
        versions: new Map(),
        absent: new Set(),
        answered: false,
      }
      subscriptions.set(typeUrl, subscription)
    }
    return subscription
  }

  return {
    method: '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources',

    subscribeAll(typeUrl) {
      const subscription = subscriptionOf(typeUrl)
      if (subscription.all) return []
      subscription.all = true
      if (!streaming) return []
      if (!subscription.asked) return [firstRequest(typeUrl, subscription)]
      return [{ type_url: typeUrl, resource_names_subscribe: [WILDCARD] }]
    },

    begin(typeUrl) {
      const subscription = subscriptionOf(typeUrl)
      subscription.begun = true
      return streaming && !subscription.asked ? [firstRequest(typeUrl, subscription)] : []
    },

    subscribe(typeUrl, add, drop) {
      const subscription = subscriptionOf(typeUrl)
      const added = unique(add).filter((name) => !subscription.names.has(name))
      const dropped = unique(drop).filter((name) => subscription.names.has(name) && !added.includes(name))
      for (const name of added) subscription.names.add(name)
      for (const name of dropped) {
        subscription.names.delete(name)
        subscription.absent.delete(name)
        if (!subscription.all) subscription.versions.delete(name)
      }
      if (!streaming || (added.length === 0 && dropped.length === 0)) return []
      if (!subscription.asked) return subscription.names.size > 0 ? [firstRequest(typeUrl, subscription)] : []
      return [
        {
          type_url: typeUrl,
          ...(added.length > 0 && { resource_names_subscribe: added }),
          ...(dropped.length > 0 && { resource_names_unsubscribe: dropped }),
        },
      ]
    },

    open() {
      streaming = true
      const types = [...subscriptions].filter(([, { all, begun, names }]) => all || begun || names.size > 0)
      return types.sort(([a], [b]) => byTypeOrder(a, b)).map(([typeUrl, subscription]) => firstRequest(typeUrl, subscription))
    },

    close() {
      streaming = false
      for (const subscription of subscriptions.values()) subscription.asked = false
    },

    lacks: () =>
      [...subscriptions.values()].some(
        ({ all, answered, names, versions, absent }) =>
          (all && !answered) || [...names].some((name) => !versions.has(name) && !absent.has(name)),
      ),

    receive(response) {
      const subscription = subscriptions.get(response.typeUrl)
      if (subscription === undefined) return undefined
      const resources: ReceivedResource[] = []
      const absent: string[] = []
      for (const { name, version, value, aliases } of response.resources) {
        if (value !== undefined)
          resources.push({ name, version, message: decode(response.typeUrl, value), ...(aliases.length > 0 && { aliases }) })
        // Without aliases it is a heartbeat: the same resource lives on, nothing of it is here.
        else if (!subscription.versions.has(name)) absent.push(...aliases)
      }
      return {
        typeUrl: response.typeUrl,
        version: response.systemVersion,
        nonce: response.nonce,
        resources,
        removed: response.removed,
        ...(absent.length > 0 && { absent }),
        controlPlane: response.controlPlane,
      }
    },

    acknowledge(update, rejections) {
      const refused = new Set(rejections.map((rejection) => rejection.name))
      const subscription = subscriptions.get(update.typeUrl)
      if (subscription !== undefined) keep(subscription, update, refused)
      const detail = errorDetail(rejections)
      return [{ type_url: update.typeUrl, response_nonce: update.nonce, ...(detail !== undefined && { error_detail: detail }) }]
    },
  }
}

function keep(subscription: Subscription, update: ReceivedUpdate, refused: ReadonlySet<string>): void {
  const { versions, names, absent } = subscription
  subscription.answered = true
  for (const { name, version } of update.resources) {
    if (refused.has(name)) continue
    versions.set(name, version)
    absent.delete(name)
  }
  for (const name of update.removed) {
    if (refused.has(name)) continue
    versions.delete(name)
    if (names.has(name)) absent.add(name)
  }
}

/** A wildcard alone goes as no names at all, which older servers want too; with names beside it, it must be spelled out. */
function firstRequest(typeUrl: string, subscription: Subscription): DeltaDiscoveryRequest {
  subscription.asked = true
  const names = subscription.all && subscription.names.size > 0 ? [WILDCARD, ...subscription.names] : [...subscription.names]
  return {
    type_url: typeUrl,
    ...(names.length > 0 && { resource_names_subscribe: names }),
    ...(subscription.versions.size > 0 && { initial_resource_versions: Object.fromEntries(subscription.versions) }),
  }
}

const unique = (names: readonly string[]): string[] => [...new Set(names)]
