import { contentHash, createSideTable, fail, ok, problem, type Result } from '@heddle/runtime'
import { EncodeError } from '../context.js'
import { keepBytes } from '../kept-bytes.js'
import type { VersionedResource } from '../resource-set.js'
import type { ResourceType } from '../resource-type.js'

const encoded = /*#__PURE__*/ createSideTable<VersionedResource>()

/**
 * Name, bytes and content version of a resource. An object is encoded once for as long as it lives, so it must not
 * change afterwards; virtual hosts and filter chains are, too, wherever they stand.
 * @returns a failure with the path inside the resource when it is not what its type says, or has no name.
 */
export function encodeResource<T extends object>(type: ResourceType<T>, resource: T): Result<VersionedResource> {
  const known = encoded.of(resource)
  if (known !== undefined) return ok(known)
  const name = type.nameOf(resource)
  if (typeof name !== 'string' || name === '') return fail(problem('xds.no_name', 'name', `a ${type.shortName} needs a name`))
  try {
    const bytes = keepBytes(() => type.encode(resource))
    const versioned: VersionedResource = { name, version: contentHash(bytes), bytes }
    encoded.set(resource, versioned)
    return ok(versioned)
  } catch (error) {
    if (!(error instanceof EncodeError)) throw error
    return fail({ ...problem('xds.not_encodable', error.path, error.message), subject: `${type.shortName} ${name}` })
  }
}
