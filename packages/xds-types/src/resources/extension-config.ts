import { TypedExtensionConfig } from '../gen/envoy/config/core/v3.js'
import { Runtime } from '../gen/envoy/service/runtime/v3.js'
import type { ResourceType } from '../resource-type.js'
import type { TypeRegistry } from '../types.js'
import { createResourceType } from './create.js'

/** ECDS. */
export function createExtensionConfigType(registry: TypeRegistry): ResourceType<TypedExtensionConfig> {
  return createResourceType<TypedExtensionConfig>(TypedExtensionConfig, registry, {
    shortName: 'TypedExtensionConfig',
    nameOf: (config) => config.name,
  })
}

/** RTDS. */
export function createRuntimeType(registry: TypeRegistry): ResourceType<Runtime> {
  return createResourceType<Runtime>(Runtime, registry, { shortName: 'Runtime', nameOf: (layer) => layer.name })
}
