import type { ResourceRef, ResourceType } from '../resource-type.js'
import type { MessageType, TypeRegistry } from '../types.js'
import { createReferences, type References } from './references.js'

interface Traits<T> {
  readonly shortName: string
  /** Default false. */
  readonly fullStateInSotw?: boolean
  /** Default false. */
  readonly onDemand?: boolean
  nameOf(resource: T): string | undefined
  references?(resource: T, refs: References): void
}

/** A resource type from its message type, with a registry for what is inside its Any fields. */
export function createResourceType<T extends object>(
  type: MessageType<T>,
  registry: TypeRegistry,
  traits: Traits<T>,
): ResourceType<T> {
  return {
    typeUrl: type.typeUrl,
    shortName: traits.shortName,
    fullStateInSotw: traits.fullStateInSotw ?? false,
    onDemand: traits.onDemand ?? false,
    nameOf: (resource) => traits.nameOf(resource) ?? '',
    references(resource): readonly ResourceRef[] {
      const refs = createReferences()
      traits.references?.(resource, refs)
      return refs.list
    },
    encode: (resource) => type.encode(resource, registry),
    decode: (bytes) => type.decode(bytes, registry),
  }
}
