import { fail, ok, problem, type Result } from '@heddle/runtime'
import type { VersionedResource } from '@heddle/xds-types'
import {
  encodeDeltaResponse,
  encodeSotwResponse,
  type OutgoingResource,
  type WireResourceError,
} from '@heddle/xds-types/discovery'
import type { Node } from '@heddle/xds-types/envoy/config/core/v3'
import { DeltaDiscoveryRequest, DiscoveryRequest, type ResourceLocator } from '@heddle/xds-types/envoy/service/discovery/v3'
import { readDeltaAck } from './delta-ack.js'
import type { DeltaRequest, ErrorDetail, Response, SotwRequest } from './protocol/stream-protocol.js'
import { canonicalName } from './resource-name.js'
import { createSharedBodies, nonceField, type WriteOptions } from './shared-bodies.js'

/** A request, and the node if it came along. */
export interface Incoming<Request> {
  readonly request: Request
  readonly node: Node | undefined
}

/** Messages of one protocol to and from bytes. */
export interface StreamCodec<Request> {
  read(bytes: Uint8Array): Result<Incoming<Request>>
  /** The request for `typeUrl`, which a per-type stream implies, with names in their one spelling. */
  forType(request: Request, typeUrl: string): Request
  /** The names that a request asks for, the wildcard and the empty one among them. */
  namesOf(request: Request): readonly string[]
  /** A message in parts; what other streams get as well is one part, shared with them. */
  write(response: Response, options: WriteOptions): readonly Uint8Array[]
}

export const SOTW_CODEC: StreamCodec<SotwRequest> = {
  read(bytes) {
    const decoded = DiscoveryRequest.decode(bytes)
    if (!decoded.ok) return decoded
    const { type_url, version_info, response_nonce, resource_names, resource_locators, node, error_detail } = decoded.value
    const located = namesOfLocators(resource_locators, 'resource_locators')
    if (!located.ok) return located
    const request: SotwRequest = {
      typeUrl: type_url ?? '',
      versionInfo: version_info ?? '',
      responseNonce: response_nonce ?? '',
      resourceNames: [...(resource_names ?? []), ...located.value],
      ...errorOf(error_detail),
    }
    return ok({ request, node })
  },
  forType: (request, typeUrl) => ({ ...request, typeUrl, resourceNames: canonical(request.resourceNames, typeUrl) }),
  namesOf: (request) => request.resourceNames,
  write: (response, options) => [nonceField(response.nonce), SOTW_BODIES.of(response, options)],
}

const SOTW_BODIES = createSharedBodies(sotwBody)

function sotwBody({ typeUrl, version, resources: all, heartbeats = [] }: Response, options: WriteOptions): Uint8Array {
  const [resources, errors] = withoutErrors(all)
  // Only inside a Resource is there room for a TTL.
  const [plain, expiring] = options.ttl ? partition(resources) : [resources, []]
  const wrapped = [...expiring, ...heartbeats.map(heartbeat)]
  return encodeSotwResponse({ typeUrl, version, nonce: '', resources: plain, errors, wrapped, controlPlane: options.identifier })
}

export const DELTA_CODEC: StreamCodec<DeltaRequest> = {
  read(bytes) {
    const ack = readDeltaAck(bytes)
    if (ack !== undefined) return ok({ request: ack, node: undefined })
    const decoded = DeltaDiscoveryRequest.decode(bytes)
    if (!decoded.ok) return decoded
    const { type_url, response_nonce, resource_names_subscribe, resource_names_unsubscribe, node, error_detail } = decoded.value
    const wanted = namesOfLocators(decoded.value.resource_locators_subscribe, 'resource_locators_subscribe')
    const dropped = namesOfLocators(decoded.value.resource_locators_unsubscribe, 'resource_locators_unsubscribe')
    if (!wanted.ok) return wanted
    if (!dropped.ok) return dropped
    const request: DeltaRequest = {
      typeUrl: type_url ?? '',
      responseNonce: response_nonce ?? '',
      subscribe: [...(resource_names_subscribe ?? []), ...wanted.value],
      unsubscribe: [...(resource_names_unsubscribe ?? []), ...dropped.value],
      initialResourceVersions: versionsOf(decoded.value.initial_resource_versions),
      ...errorOf(error_detail),
    }
    return ok({ request, node })
  },
  forType(request, typeUrl) {
    const subscribe = canonical(request.subscribe, typeUrl)
    const unsubscribe = canonical(request.unsubscribe, typeUrl)
    const asItIs = request.typeUrl === typeUrl && request.subscribe === subscribe && request.unsubscribe === unsubscribe
    return asItIs ? request : { ...request, typeUrl, subscribe, unsubscribe }
  },
  namesOf: (request) => request.subscribe,
  write: (response, options) => [nonceField(response.nonce), DELTA_BODIES.of(response, options)],
}

const DELTA_BODIES = createSharedBodies(deltaBody)

function deltaBody(response: Response, options: WriteOptions): Uint8Array {
  const { typeUrl, version: systemVersion, resources: all, removed, heartbeats = [], unresolved = [] } = response
  const [resources, errors] = withoutErrors(all)
  const outgoing = options.ttl ? [...resources, ...heartbeats.map(heartbeat)] : resources.map(withoutTtl)
  const bodies = unresolved.length === 0 ? outgoing : [...outgoing, ...unresolved.map(bodiless)]
  const controlPlane = options.identifier
  return encodeDeltaResponse({ typeUrl, systemVersion, nonce: '', resources: bodies, errors, removed, controlPlane })
}

const NO_VERSIONS: ReadonlyMap<string, string> = new Map()

function versionsOf(versions: Readonly<Record<string, string>> | undefined): ReadonlyMap<string, string> {
  return versions === undefined ? NO_VERSIONS : new Map(Object.entries(versions))
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

/** What is sent as a resource, and what goes into `resource_errors`. */
function withoutErrors(resources: readonly VersionedResource[]): [readonly VersionedResource[], readonly WireResourceError[]] {
  if (!resources.some(({ error }) => error !== undefined)) return [resources, []]
  const errors = resources.flatMap(({ name, error }) => (error === undefined ? [] : [{ name, ...error }]))
  return [resources.filter(({ error }) => error === undefined), errors]
}

/** The answer to a name for which there is nothing (Envoy's VHDS): it stands as name and alias of a resource without a body. */
function bodiless(name: string): OutgoingResource {
  return { name, aliases: [name], version: '', bytes: NO_BODY, heartbeat: true }
}

const NO_BODY = new Uint8Array(0)

/**
 * A locator is a name with parameters that choose between variants of the resource (cncf/xds TP2). Ours have no variants: a locator without
 * parameters is a name, one with parameters must not be taken for less than it is, or, with nothing else, for the wildcard.
 */
function namesOfLocators(locators: readonly ResourceLocator[] = [], field: string): Result<readonly string[]> {
  const index = locators.findIndex(({ dynamic_parameters }) => Object.keys(dynamic_parameters ?? {}).length > 0)
  if (index < 0) return ok(locators.map(({ name = '' }) => name))
  const what = 'dynamic parameters are not supported: subscribe by resource names'
  return fail(problem('xds.unsupported', `${field}[${index}].dynamic_parameters`, what))
}

function heartbeat(resource: VersionedResource): OutgoingResource {
  return { ...resource, heartbeat: true }
}

/** The same object where it can be: how it looks on the wire is known by identity. */
function withoutTtl(resource: VersionedResource): OutgoingResource {
  if (resource.ttl === undefined) return resource
  const { ttl, ...rest } = resource
  return rest
}

function errorOf(detail: { code?: number | undefined; message?: string | undefined } | undefined): { errorDetail?: ErrorDetail } {
  return detail === undefined ? {} : { errorDetail: { code: detail.code ?? 0, message: detail.message ?? '' } }
}
