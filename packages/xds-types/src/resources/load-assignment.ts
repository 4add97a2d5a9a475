import { ClusterLoadAssignment } from '../gen/envoy/config/endpoint/v3.js'
import type { ResourceType } from '../resource-type.js'
import type { TypeRegistry } from '../types.js'
import { createResourceType } from './create.js'

/** EDS. */
export function createLoadAssignmentType(registry: TypeRegistry): ResourceType<ClusterLoadAssignment> {
  return createResourceType<ClusterLoadAssignment>(ClusterLoadAssignment, registry, {
    shortName: 'ClusterLoadAssignment',
    nameOf: (assignment) => assignment.cluster_name,
  })
}
