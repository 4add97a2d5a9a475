import { Cluster } from '../gen/envoy/config/cluster/v3.js'
import { ClusterLoadAssignment } from '../gen/envoy/config/endpoint/v3.js'
import type { ResourceType } from '../resource-type.js'
import type { TypeRegistry } from '../types.js'
import { createResourceType } from './create.js'
import { addSecrets } from './references.js'

/** CDS. An EDS cluster refers to its load assignment by `eds_cluster_config.service_name`, else by its own name. */
export function createClusterType(registry: TypeRegistry): ResourceType<Cluster> {
  return createResourceType<Cluster>(Cluster, registry, {
    shortName: 'Cluster',
    fullStateInSotw: true,
    nameOf: (cluster) => cluster.name,
    references(cluster, refs) {
      const eds = cluster.eds_cluster_config
      if (cluster.type === 'EDS') refs.add(ClusterLoadAssignment.typeUrl, eds?.service_name || cluster.name, eds?.eds_config)
      addSecrets(cluster.transport_socket, refs, registry)
      for (const match of cluster.transport_socket_matches ?? []) addSecrets(match.transport_socket, refs, registry)
    },
  })
}
