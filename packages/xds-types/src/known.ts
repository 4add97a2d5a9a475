import { all } from './gen/all.js'
import { createTypeRegistry } from './registry.js'
import type { ResourceType } from './resource-type.js'
import { createResourceTypes } from './resources/index.js'
import type { MessageType, TypeRegistry } from './types.js'

/** Every message of Envoy's v3 API, xDS, udpa and Istio's own extensions. A table is built when its type is first used. */
export const knownTypes: TypeRegistry = /*#__PURE__*/ createTypeRegistry(
  /*#__PURE__*/ all.filter((type): type is MessageType<unknown> => 'typeUrl' in type),
)

/** What can be discovered, reading and writing with {@link knownTypes}. */
export const resourceTypes: readonly ResourceType<object>[] = /*#__PURE__*/ createResourceTypes(knownTypes)

/** By type URL. */
export function resourceTypeOf(typeUrl: string): ResourceType<object> | undefined {
  return resourceTypes.find((type) => type.typeUrl === typeUrl)
}
