import type { ResourceType } from '../resource-type.js'
import type { TypeRegistry } from '../types.js'
import { createClusterType } from './cluster.js'
import { createExtensionConfigType, createRuntimeType } from './extension-config.js'
import { createAddressType, createAuthorizationType, createNameTableType, createWorkloadType } from './istio.js'
import { createListenerType } from './listener.js'
import { createLbEndpointType, createLoadAssignmentType } from './load-assignment.js'
import { createRouteConfigurationType, createScopedRouteType, createVirtualHostType } from './route-configuration.js'
import { createSecretType } from './secret.js'

export { createClusterType } from './cluster.js'
export { createResourceType } from './create.js'
export { encodeResource } from './encode-resource.js'
export { createExtensionConfigType, createRuntimeType } from './extension-config.js'
export { createAddressType, createAuthorizationType, createNameTableType, createWorkloadType } from './istio.js'
export { createListenerType } from './listener.js'
export { createLbEndpointType, createLoadAssignmentType } from './load-assignment.js'
export { createRouteConfigurationType, createScopedRouteType, createVirtualHostType } from './route-configuration.js'
export { createSecretType } from './secret.js'

/**
 * Every type that Envoy discovers, in the order in which a client can use them: clusters and endpoints before what points at them. Then
 * Istio's own, for ambient proxies and agents.
 */
export function createResourceTypes(registry: TypeRegistry): readonly ResourceType<object>[] {
  return [
    createClusterType(registry),
    createLoadAssignmentType(registry),
    createLbEndpointType(registry),
    createListenerType(registry),
    createScopedRouteType(registry),
    createRouteConfigurationType(registry),
    createVirtualHostType(registry),
    createSecretType(registry),
    createExtensionConfigType(registry),
    createRuntimeType(registry),
    createAuthorizationType(registry),
    createAddressType(registry),
    createWorkloadType(registry),
    createNameTableType(registry),
  ] as readonly ResourceType<object>[]
}
