import type { VersionedResource } from '@heddle/xds-types'
import { collectionOf } from '../resource-name.js'
import { pushRank } from './push-order.js'
import { covers } from './subscription.js'
import { sentOf, type TypeState } from './type-state.js'

/**
 * What changed resources refer to is sent again, unasked and even if unchanged: Envoy warms a changed cluster with its endpoints, a
 * changed listener with its routes and secrets, and waits until they come (XP "Resource warming").
 */
export function requestReferences(
  states: ReadonlyMap<string, TypeState>,
  source: TypeState,
  changed: Iterable<VersionedResource>,
): void {
  for (const resource of changed) {
    for (const { typeUrl, name } of source.rule.references(resource)) {
      const target = states.get(typeUrl)
      // Only forwards in the order of a push: a changed route warms no cluster.
      if (target === undefined || pushRank(typeUrl) <= pushRank(source.rule.typeUrl)) continue
      if (name.endsWith('/*')) target.knowledge.request(membersOf(target, name))
      else if (covers(target.subscription, name) && target.view?.get(name) !== undefined) target.knowledge.request([name])
    }
  }
}

/** What the client has been sent of a folder: the virtual hosts of a route configuration, the endpoints of a collection. */
function membersOf(target: TypeState, collection: string): readonly string[] {
  return sentOf(target)
    .map(({ name }) => name)
    .filter((name) => collectionOf(name) === collection && target.view?.get(name) !== undefined)
}
