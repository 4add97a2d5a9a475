import { fail, ok, problem } from '@heddle/runtime'
import type { ResourceRef, ResourceType, VersionedResource } from '@heddle/xds-types'
import type { TypeRule } from './protocol/stream-protocol.js'
import { encodeEntry } from './resource-entry.js'
import type { EncodeResource } from './resource-view.js'

/** The resource types of a server. */
export interface TypeCatalog {
  ruleOf(typeUrl: string): TypeRule | undefined
  readonly encode: EncodeResource
  /** The resource as a message, for dumps; undefined when its bytes are not of the type. */
  decode(typeUrl: string, resource: VersionedResource): object | undefined
}

/** `types`: a later one takes the place of an earlier one with the same URL. */
export function createTypeCatalog(types: readonly ResourceType<object>[]): TypeCatalog {
  const byUrl = new Map(types.map((type) => [type.typeUrl, type]))
  // What was encoded here need not be decoded again to be looked into.
  const origins = new WeakMap<VersionedResource, object>()
  const decode = (type: ResourceType<object>, resource: VersionedResource): object | undefined => {
    const origin = origins.get(resource)
    if (origin !== undefined) return origin
    const decoded = type.decode(resource.bytes)
    return decoded.ok ? decoded.value : undefined
  }
  const rules = new Map([...byUrl].map(([typeUrl, type]) => [typeUrl, ruleFor(type, (resource) => decode(type, resource))]))
  return {
    ruleOf: (typeUrl) => rules.get(typeUrl),
    encode(typeUrl, resource) {
      const type = byUrl.get(typeUrl)
      if (type === undefined) return fail(problem('xds.unknown_type', '', `no resource type ${typeUrl}; give it in \`types\``))
      const encoded = encodeEntry(type, resource)
      if (encoded.ok) origins.set(encoded.value.resource, encoded.value.message)
      return encoded.ok ? ok(encoded.value.resource) : encoded
    },
    decode(typeUrl, resource) {
      const type = byUrl.get(typeUrl)
      return type === undefined ? undefined : decode(type, resource)
    },
  }
}

function ruleFor(type: ResourceType<object>, decode: (resource: VersionedResource) => object | undefined): TypeRule {
  const known = new WeakMap<VersionedResource, readonly ResourceRef[]>()
  return {
    typeUrl: type.typeUrl,
    shortName: type.shortName,
    fullStateInSotw: type.fullStateInSotw,
    // XP: only LDS and CDS, the very types that list everything.
    wildcardWhenEmpty: type.fullStateInSotw,
    onDemand: type.onDemand ?? false,
    references(resource) {
      let references = known.get(resource)
      if (references === undefined) {
        const message = decode(resource)
        known.set(resource, (references = message === undefined ? [] : type.references(message)))
      }
      return references
    },
  }
}
