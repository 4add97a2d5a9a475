import { contentHash, fail, ok, problem, type Result } from '@heddle/runtime'
import type { ResourceType, VersionedResource } from '@heddle/xds-types'
import { Resource, ResourceError } from '@heddle/xds-types/envoy/service/discovery/v3'
import { encodeResource } from '@heddle/xds-types/resources'
import { canonicalName, isUri } from './resource-name.js'
import { erroneous } from './resource-view.js'

/** An entry of a group as it travels, and the message in it. */
export interface EncodedEntry {
  readonly resource: VersionedResource
  readonly message: object
}

const wrapped = new WeakMap<object, EncodedEntry>()

/** Encodes a message, a message inside a `Resource`, or a `ResourceError`. An object is encoded once for as long as it lives. */
export function encodeEntry(type: ResourceType<object>, entry: object): Result<EncodedEntry> {
  const known = wrapped.get(entry)
  if (known !== undefined) return ok(known)
  const kind = '@type' in entry ? entry['@type'] : undefined
  const encoded =
    kind === Resource.typeUrl ? unwrapped(type, entry) : kind === ResourceError.typeUrl ? failed(type, entry) : plain(type, entry)
  if (encoded.ok && (kind !== undefined || isUri(encoded.value.resource.name))) wrapped.set(entry, encoded.value)
  return encoded
}

function plain(type: ResourceType<object>, message: object): Result<EncodedEntry> {
  const encoded = encodeResource(type, message)
  if (!encoded.ok) return encoded
  const name = canonical(type, encoded.value.name)
  // The one object that stands for the message, so that what is known of it by identity holds.
  return ok({ resource: name === encoded.value.name ? encoded.value : { ...encoded.value, name }, message })
}

/** `envoy.service.discovery.v3.Resource`: what it says of the message counts, where it says something. */
function unwrapped(type: ResourceType<object>, wrapper: Resource): Result<EncodedEntry> {
  const { name, aliases = [], version, ttl } = wrapper
  const { '@type': typeUrl, ...message } = (wrapper.resource ?? {}) as { '@type'?: string }
  const subject = `${type.shortName} ${name ?? ''}`
  const refused = (path: string, what: string): Result<never> => fail({ ...problem('xds.bad_resource', path, what), subject })
  if (typeUrl !== type.typeUrl)
    return refused('resource.@type', `a Resource here must hold a ${type.typeUrl}, not ${typeUrl ?? 'nothing'}`)
  const seconds = ttl === undefined ? undefined : /^(\d+(?:\.\d{1,9})?)s$/.exec(ttl)?.[1]
  if (ttl !== undefined && seconds === undefined) return refused('ttl', `\`${ttl}\` is no duration such as \`5s\``)
  const encoded = encodeResource(name === undefined ? type : { ...type, nameOf: () => name }, message)
  if (!encoded.ok) return encoded
  const others = aliases.map((alias) => canonical(type, alias))
  const content =
    others.length === 0 && ttl === undefined ? '' : contentHash([encoded.value.version, ttl ?? '', ...others].join('\n'))
  const resource: VersionedResource = {
    name: canonical(type, encoded.value.name),
    version: version ?? (content || encoded.value.version),
    bytes: encoded.value.bytes,
    ...(others.length === 0 ? {} : { aliases: others }),
    ...(seconds === undefined ? {} : { ttl: Number(seconds) }),
  }
  return ok({ resource, message })
}

/** `envoy.service.discovery.v3.ResourceError`. */
function failed(type: ResourceType<object>, { resource_name, error_detail }: ResourceError): Result<EncodedEntry> {
  const name = resource_name?.name
  if (name === undefined)
    return fail(problem('xds.no_name', 'resource_name.name', 'a ResourceError needs the name of the resource'))
  const { code = UNKNOWN, message = '' } = error_detail ?? {}
  return ok({ resource: erroneous(canonical(type, name), { code, message }), message: {} })
}

/** google.rpc.Code */
const UNKNOWN = 2

/** A name that is broken stays as it came: nobody can ask for it. */
function canonical(type: ResourceType<object>, name: string): string {
  return canonicalName(name, type.typeUrl) ?? name
}
