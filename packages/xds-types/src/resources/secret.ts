import { Secret } from '../gen/envoy/extensions/transport_sockets/tls/v3.js'
import type { ResourceType } from '../resource-type.js'
import type { TypeRegistry } from '../types.js'
import { createResourceType } from './create.js'

/** SDS. */
export function createSecretType(registry: TypeRegistry): ResourceType<Secret> {
  return createResourceType<Secret>(Secret, registry, { shortName: 'Secret', nameOf: (secret) => secret.name })
}
