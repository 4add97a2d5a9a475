import { fail, ok, problem, type Result } from '@heddle/runtime'
import { MAX_BYTES } from './context.js'
import { within } from './decode.js'
import { ControlPlane } from './gen/envoy/config/core/v3.js'
import { ResourceError } from './gen/envoy/service/discovery/v3.js'
import { Misfit } from './misfit.js'
import type { VersionedResource } from './resource-set.js'
import { concat } from './wire/concat.js'
import { createReader, type Reader } from './wire/reader.js'
import { createWriter, type Writer } from './wire/writer.js'
import { readFields } from './wkt/simple.js'

// Responses of the discovery services with the resources inside left as bytes: a server copies what it encoded once, a client
// decodes each resource on its own, so that one bad resource is known by name. Requests are small: use the generated types.

/** envoy.service.discovery.v3.DiscoveryResponse. */
export interface SotwResponse {
  readonly typeUrl: string
  /** `version_info` */
  readonly version: string
  readonly nonce: string
  /** Bodies; names stand inside them. One wrapped in a `discovery.v3.Resource` is unwrapped. */
  readonly resources: readonly Uint8Array[]
  /** `control_plane.identifier` */
  readonly controlPlane: string
}

/** envoy.service.discovery.v3.Resource. */
export interface WireResource {
  readonly name: string
  readonly version: string
  /** The resource's body, out of its Any; undefined is a heartbeat: nothing but the TTL. */
  readonly value: Uint8Array | undefined
  /** Other names the resource answers to (VHDS). */
  readonly aliases: readonly string[]
  /** Seconds until the client must drop it; undefined: never. */
  readonly ttl: number | undefined
}

/** envoy.service.discovery.v3.DeltaDiscoveryResponse. */
export interface DeltaResponse {
  readonly typeUrl: string
  readonly systemVersion: string
  readonly nonce: string
  readonly resources: readonly WireResource[]
  /** `removed_resources` and `removed_resource_names`. */
  readonly removed: readonly string[]
  readonly controlPlane: string
}

/** envoy.service.discovery.v3.ResourceError: a resource that cannot be had. `code` is a google.rpc.Code. */
export interface WireResourceError {
  readonly name: string
  readonly code: number
  readonly message: string
}

export interface SotwResponseInput extends Omit<SotwResponse, 'resources'> {
  readonly resources: readonly Pick<VersionedResource, 'bytes'>[]
  /** `resource_errors`; default none. */
  readonly errors?: readonly WireResourceError[]
  /** Resources that go inside a `discovery.v3.Resource`, for a TTL: only for clients with the feature `xds.config.resource-in-sotw`. */
  readonly wrapped?: readonly OutgoingResource[]
}

/** A resource, or with `heartbeat` no more than the news that it still is what it was. */
export interface OutgoingResource extends VersionedResource {
  readonly heartbeat?: boolean
}

export interface DeltaResponseInput extends Omit<DeltaResponse, 'resources'> {
  readonly resources: readonly OutgoingResource[]
  /** `resource_errors`; default none. */
  readonly errors?: readonly WireResourceError[]
}

const RESOURCE_URL = 'type.googleapis.com/envoy.service.discovery.v3.Resource'
const LENGTH = 2
const VARINT = 0
const writer = /*#__PURE__*/ createWriter()

/** Each resource's bytes are copied once. */
export function encodeSotwResponse(response: SotwResponseInput): Uint8Array {
  const parts: Uint8Array[] = [header((w) => text(w, 1, response.version))]
  for (const { bytes } of response.resources) parts.push(headerOf(response.typeUrl, bytes), bytes)
  for (const resource of response.wrapped ?? []) {
    const bytes = concat([resourceStart(response.typeUrl, resource), bodyOf(resource), resourceEnd(resource)])
    parts.push(resourceHeader(RESOURCE_URL, bytes.length), bytes)
  }
  parts.push(
    header((w) => {
      errors(w, 7, response.errors)
      controlPlane(w, 6, response.controlPlane)
      text(w, 5, response.nonce)
      text(w, 4, response.typeUrl)
    }),
  )
  return concat(parts)
}

/** Each resource's bytes are copied once. */
export function encodeDeltaResponse(response: DeltaResponseInput): Uint8Array {
  const parts: Uint8Array[] = [header((w) => text(w, 1, response.systemVersion))]
  for (const resource of response.resources) {
    const frame = frameOf(response.typeUrl, resource)
    parts.push(frame.header, bodyOf(resource), frame.end)
  }
  parts.push(
    header((w) => {
      errors(w, 9, response.errors)
      controlPlane(w, 7, response.controlPlane)
      for (let i = response.removed.length - 1; i >= 0; i--) item(w, 6, response.removed[i] as string)
      text(w, 5, response.nonce)
      text(w, 4, response.typeUrl)
    }),
  )
  return concat(parts)
}

/** As {@link frameOf}, of bytes that many responses have. */
const headers = /*#__PURE__*/ new WeakMap<Uint8Array, Omit<Frame, 'end'>>()

function headerOf(typeUrl: string, bytes: Uint8Array): Uint8Array {
  const known = headers.get(bytes)
  if (known?.typeUrl === typeUrl) return known.header
  const made = resourceHeader(typeUrl, bytes.length)
  headers.set(bytes, { typeUrl, header: made })
  return made
}

/** Tag and length of `resources`, the Any's type URL, tag and length of its value: all that stands before a body. */
function resourceHeader(typeUrl: string, length: number): Uint8Array {
  return header((w) => {
    anyHeader(w, typeUrl, length)
    w.varint32(w.size() + length)
    w.tag(2, LENGTH)
  })
}

/** What stands around a resource's bytes in a Delta response. */
interface Frame {
  readonly typeUrl: string
  readonly header: Uint8Array
  readonly end: Uint8Array
}

/** Each stream has a nonce and so a response of its own, but a resource looks the same in all of them: its frame is made once. */
const frames = /*#__PURE__*/ new WeakMap<OutgoingResource, Frame>()

function frameOf(typeUrl: string, resource: OutgoingResource): Frame {
  const known = frames.get(resource)
  if (known?.typeUrl === typeUrl) return known
  const end = resourceEnd(resource)
  const frame = { typeUrl, header: deltaHeader(typeUrl, resource, bodyOf(resource).length + end.length), end }
  frames.set(resource, frame)
  return frame
}

/** Tag and length of `resources`, and what of the `Resource` stands before the body. */
function deltaHeader(typeUrl: string, resource: OutgoingResource, after: number): Uint8Array {
  return header((w) => {
    startOfResource(w, typeUrl, resource)
    w.varint32(w.size() + after)
    w.tag(2, LENGTH)
  })
}

function resourceStart(typeUrl: string, resource: OutgoingResource): Uint8Array {
  return header((w) => startOfResource(w, typeUrl, resource))
}

/** In `Resource` the Any (2) comes before name (3), aliases (4) and ttl (6), and after version (1): fields stay in order. */
function startOfResource(w: Writer, typeUrl: string, resource: OutgoingResource): void {
  if (resource.heartbeat !== true) {
    anyHeader(w, typeUrl, resource.bytes.length)
    w.varint32(w.size() + resource.bytes.length)
    w.tag(2, LENGTH)
  }
  text(w, 1, resource.version)
}

function resourceEnd({ name, aliases = [], ttl }: OutgoingResource): Uint8Array {
  return header((w) => {
    if (ttl !== undefined) {
      w.varint32(duration(w, ttl))
      w.tag(6, LENGTH)
    }
    for (let i = aliases.length - 1; i >= 0; i--) item(w, 4, aliases[i] as string)
    text(w, 3, name)
  })
}

/** google.protobuf.Duration; how many bytes it took. */
function duration(w: Writer, seconds: number): number {
  const from = w.size()
  const [whole, nanos] = [Math.floor(seconds), Math.round((seconds % 1) * 1e9)]
  if (nanos !== 0) {
    w.int32(nanos)
    w.tag(2, VARINT)
  }
  if (whole !== 0) {
    w.varint64(BigInt(whole))
    w.tag(1, VARINT)
  }
  return w.size() - from
}

const NO_BODY = new Uint8Array(0)

function bodyOf(resource: OutgoingResource): Uint8Array {
  return resource.heartbeat === true ? NO_BODY : resource.bytes
}

function anyHeader(w: Writer, typeUrl: string, length: number): void {
  w.varint32(length)
  w.tag(2, LENGTH)
  text(w, 1, typeUrl)
}

function header(write: (w: Writer) => void): Uint8Array {
  write(writer)
  return writer.finish()
}

function text(w: Writer, field: number, value: string): void {
  if (value !== '') item(w, field, value)
}

function item(w: Writer, field: number, value: string): void {
  w.string(value)
  w.tag(field, LENGTH)
}

function controlPlane(w: Writer, field: number, identifier: string): void {
  if (identifier === '') return
  w.bytes(ControlPlane.encode({ identifier }))
  w.tag(field, LENGTH)
}

function errors(w: Writer, field: number, list: readonly WireResourceError[] = []): void {
  for (const { name, code, message } of [...list].reverse()) {
    w.bytes(ResourceError.encode({ resource_name: { name }, error_detail: { code, message } }))
    w.tag(field, LENGTH)
  }
}

export function decodeSotwResponse(bytes: Uint8Array): Result<SotwResponse> {
  return decode('DiscoveryResponse', bytes, (reader) => {
    let [typeUrl, version, nonce, identifier] = ['', '', '', '']
    const resources: Uint8Array[] = []
    readFields(reader, (tag) => {
      if (tag === 10) version = reader.string()
      else if (tag === 18) resources.push(unwrap(within(reader, () => readAny(reader))))
      else if (tag === 34) typeUrl = reader.string()
      else if (tag === 42) nonce = reader.string()
      else if (tag === 50) identifier = within(reader, () => readControlPlane(reader))
      else return false
      return true
    })
    return { typeUrl, version, nonce, resources, controlPlane: identifier }
  })
}

export function decodeDeltaResponse(bytes: Uint8Array): Result<DeltaResponse> {
  return decode('DeltaDiscoveryResponse', bytes, (reader) => {
    let [typeUrl, systemVersion, nonce, identifier] = ['', '', '', '']
    const resources: WireResource[] = []
    const removed: string[] = []
    readFields(reader, (tag) => {
      if (tag === 10) systemVersion = reader.string()
      else if (tag === 18) resources.push(within(reader, () => readResource(reader)))
      else if (tag === 34) typeUrl = reader.string()
      else if (tag === 42) nonce = reader.string()
      else if (tag === 50) removed.push(reader.string())
      else if (tag === 58) identifier = within(reader, () => readControlPlane(reader))
      else if (tag === 66) removed.push(within(reader, () => readResourceName(reader)))
      else return false
      return true
    })
    return { typeUrl, systemVersion, nonce, resources, removed, controlPlane: identifier }
  })
}

function readResource(reader: Reader): WireResource {
  let name = ''
  let version = ''
  let value: Uint8Array | undefined
  let ttl: number | undefined
  const aliases: string[] = []
  readFields(reader, (tag) => {
    if (tag === 10) version = reader.string()
    else if (tag === 18) value = within(reader, () => readAny(reader)).value
    else if (tag === 26) name = reader.string()
    else if (tag === 34) aliases.push(reader.string())
    else if (tag === 66) name = within(reader, () => readResourceName(reader))
    else if (tag === 50) ttl = within(reader, () => readSeconds(reader))
    else return false
    return true
  })
  return { name, version, value, aliases, ttl }
}

function readAny(reader: Reader): { typeUrl: string; value: Uint8Array } {
  let typeUrl = ''
  let value: Uint8Array = new Uint8Array(0)
  readFields(reader, (tag) => {
    if (tag === 10) typeUrl = reader.string()
    else if (tag === 18) value = reader.slice()
    else return false
    return true
  })
  return { typeUrl, value }
}

/** SotW servers wrap a resource in a Resource to give it a TTL. */
function unwrap({ typeUrl, value }: { typeUrl: string; value: Uint8Array }): Uint8Array {
  if (typeUrl !== RESOURCE_URL) return value
  return readResource(createReader(value)).value ?? new Uint8Array(0)
}

const readControlPlane = (reader: Reader): string => readFirstText(reader)
const readResourceName = (reader: Reader): string => readFirstText(reader)

/** Field 1 of a message that is a text: ControlPlane.identifier, ResourceName.name. */
function readFirstText(reader: Reader): string {
  let found = ''
  readFields(reader, (tag) => {
    if (tag !== 10) return false
    found = reader.string()
    return true
  })
  return found
}

function readSeconds(reader: Reader): number {
  let seconds = 0
  readFields(reader, (tag) => {
    if (tag === 8) seconds += Number(BigInt.asIntN(64, reader.varint64()))
    else if (tag === 16) seconds += (reader.varint32() | 0) / 1e9
    else return false
    return true
  })
  return seconds
}

function decode<T>(name: string, bytes: Uint8Array, read: (reader: Reader) => T): Result<T> {
  if (bytes.length > MAX_BYTES)
    return fail(problem('xds.too_large', '', `${name} of ${bytes.length} bytes; the limit is ${MAX_BYTES}`))
  try {
    return ok(read(createReader(bytes)))
  } catch (error) {
    if (!(error instanceof Misfit)) throw error
    return fail(problem('xds.malformed', '', `not a ${name}: ${error.message}`))
  }
}
