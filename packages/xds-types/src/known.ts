import { modules } from './gen/modules.js'
import { createTypeRegistry } from './registry.js'
import type { ResourceType } from './resource-type.js'
import { createResourceTypes } from './resources/index.js'
import type { MessageType, TypeRegistry } from './types.js'

function* messageTypes(): Generator<MessageType<unknown>> {
  for (const module of modules)
    for (const value of Object.values(module)) if ('typeUrl' in value) yield value as MessageType<unknown>
}

/** Every message of Envoy's v3 API, xDS, udpa and Istio's own extensions. Tables are built when a type is first used. */
export const knownTypes: TypeRegistry = /*#__PURE__*/ createTypeRegistry(/*#__PURE__*/ messageTypes())

/** What can be discovered, reading and writing with {@link knownTypes}. */
export const resourceTypes: readonly ResourceType<object>[] = /*#__PURE__*/ createResourceTypes(knownTypes)

/** By type URL. */
export function resourceTypeOf(typeUrl: string): ResourceType<object> | undefined {
  return resourceTypes.find((type) => type.typeUrl === typeUrl)
}
