import { knownTypes } from '@heddle/xds-types/known'
import {
  createClusterType,
  createExtensionConfigType,
  createListenerType,
  createLoadAssignmentType,
  createRouteConfigurationType,
  createScopedRouteType,
  createSecretType,
  createVirtualHostType,
} from '@heddle/xds-types/resources'
import type { StoreTypes } from './config-store.js'

/** Envoy's resource types, as far as this proxy takes them. */
export const storeTypes: StoreTypes = {
  cluster: createClusterType(knownTypes),
  endpoints: createLoadAssignmentType(knownTypes),
  listener: createListenerType(knownTypes),
  route: createRouteConfigurationType(knownTypes),
  scope: createScopedRouteType(knownTypes),
  virtualHost: createVirtualHostType(knownTypes),
  extension: createExtensionConfigType(knownTypes),
  secret: createSecretType(knownTypes),
}
