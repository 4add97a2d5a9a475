import { ClusterLoadAssignment, LbEndpoint } from '../gen/envoy/config/endpoint/v3.js'
import type { ResourceType } from '../resource-type.js'
import type { TypeRegistry } from '../types.js'
import { createResourceType } from './create.js'

/** EDS. Refers to the collections that hold its localities' endpoints (LEDS). */
export function createLoadAssignmentType(registry: TypeRegistry): ResourceType<ClusterLoadAssignment> {
  return createResourceType<ClusterLoadAssignment>(ClusterLoadAssignment, registry, {
    shortName: 'ClusterLoadAssignment',
    nameOf: (assignment) => assignment.cluster_name,
    references(assignment, refs) {
      for (const { leds_cluster_locality_config: leds } of assignment.endpoints ?? []) {
        refs.add(LbEndpoint.typeUrl, leds?.leds_collection_name)
      }
    },
  })
}

/** LEDS. The message has no name: it stands inside a `Resource` with an xdstp name, and is asked for by `xdstp://…/*`. */
export function createLbEndpointType(registry: TypeRegistry): ResourceType<LbEndpoint> {
  return createResourceType<LbEndpoint>(LbEndpoint, registry, { shortName: 'LbEndpoint', nameOf: () => undefined })
}
