import { ok, type Result } from '@heddle/runtime'
import type { VersionedResource } from '@heddle/xds-types'
import { encodeDeltaResponse, encodeSotwResponse, type OutgoingResource } from '@heddle/xds-types/discovery'
import type { Node } from '@heddle/xds-types/envoy/config/core/v3'
import { DeltaDiscoveryRequest, DiscoveryRequest } from '@heddle/xds-types/envoy/service/discovery/v3'
import type { DeltaRequest, ErrorDetail, Response, SotwRequest } from './protocol/stream-protocol.js'
import { canonicalName } from './resource-name.js'

/** A request, and the node if it came along. */
export interface Incoming<Request> {
  readonly request: Request
  readonly node: Node | undefined
}

/** What a response says besides its resources, and what its reader understands. */
export interface WriteOptions {
  /** `control_plane.identifier`. */
  readonly identifier: string
  /** Whether TTLs and heartbeats may be in it. */
  readonly ttl: boolean
}

/** Messages of one protocol to and from bytes. */
export interface StreamCodec<Request> {
  read(bytes: Uint8Array): Result<Incoming<Request>>
  /** The request for `typeUrl`, which a per-type stream implies, with names in their one spelling. */
  forType(request: Request, typeUrl: string): Request
  /** The names that a request asks for, the wildcard and the empty one among them. */
  namesOf(request: Request): readonly string[]
  /** The resources' own bytes are copied once, into the message. */
  write(response: Response, options: WriteOptions): Uint8Array
}

export const SOTW_CODEC: StreamCodec<SotwRequest> = {
  read(bytes) {
    const decoded = DiscoveryRequest.decode(bytes)
    if (!decoded.ok) return decoded
    const { type_url, version_info, response_nonce, resource_names, node, error_detail } = decoded.value
    const request: SotwRequest = {
      typeUrl: type_url ?? '',
      versionInfo: version_info ?? '',
      responseNonce: response_nonce ?? '',
      resourceNames: resource_names ?? [],
      ...errorOf(error_detail),
    }
    return ok({ request, node })
  },
  forType: (request, typeUrl) => ({ ...request, typeUrl, resourceNames: canonical(request.resourceNames, typeUrl) }),
  namesOf: (request) => request.resourceNames,
  write({ typeUrl, version, nonce, resources, heartbeats = [] }, options) {
    // Only inside a Resource is there room for a TTL.
    const [plain, expiring] = options.ttl ? partition(resources) : [resources, []]
    const wrapped = [...expiring, ...heartbeats.map(heartbeat)]
    return encodeSotwResponse({ typeUrl, version, nonce, resources: plain, wrapped, controlPlane: options.identifier })
  },
}

export const DELTA_CODEC: StreamCodec<DeltaRequest> = {
  read(bytes) {
    const decoded = DeltaDiscoveryRequest.decode(bytes)
    if (!decoded.ok) return decoded
    const { type_url, response_nonce, resource_names_subscribe, resource_names_unsubscribe, node, error_detail } = decoded.value
    const request: DeltaRequest = {
      typeUrl: type_url ?? '',
      responseNonce: response_nonce ?? '',
      subscribe: resource_names_subscribe ?? [],
      unsubscribe: resource_names_unsubscribe ?? [],
      initialResourceVersions: new Map(Object.entries(decoded.value.initial_resource_versions ?? {})),
      ...errorOf(error_detail),
    }
    return ok({ request, node })
  },
  forType: (request, typeUrl) => ({
    ...request,
    typeUrl,
    subscribe: canonical(request.subscribe, typeUrl),
    unsubscribe: canonical(request.unsubscribe, typeUrl),
  }),
  namesOf: (request) => request.subscribe,
  write({ typeUrl, version: systemVersion, nonce, resources, removed, heartbeats = [] }, options) {
    const outgoing = options.ttl ? [...resources, ...heartbeats.map(heartbeat)] : resources.map(withoutTtl)
    return encodeDeltaResponse({ typeUrl, systemVersion, nonce, resources: outgoing, removed, controlPlane: options.identifier })
  },
}

/** A name that is broken stays as it came: nothing is called so. */
function canonical(names: readonly string[], typeUrl: string): readonly string[] {
  if (!names.some((name) => name.startsWith('xdstp:'))) return names
  return names.map((name) => canonicalName(name, typeUrl) ?? name)
}

/** Resources that stay, and those that expire. */
function partition(resources: readonly VersionedResource[]): [VersionedResource[], VersionedResource[]] {
  return [resources.filter(({ ttl }) => ttl === undefined), resources.filter(({ ttl }) => ttl !== undefined)]
}

function heartbeat(resource: VersionedResource): OutgoingResource {
  return { ...resource, heartbeat: true }
}

function withoutTtl({ ttl, ...resource }: VersionedResource): OutgoingResource {
  return resource
}

function errorOf(detail: { code?: number | undefined; message?: string | undefined } | undefined): { errorDetail?: ErrorDetail } {
  return detail === undefined ? {} : { errorDetail: { code: detail.code ?? 0, message: detail.message ?? '' } }
}
