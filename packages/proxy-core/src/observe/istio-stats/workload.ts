import { fromBase64, toBase64 } from '@heddle/xds-types'
import { TypedStruct } from '@heddle/xds-types/xds/type/v3'

/** What Istio's sidecars tell one another of the workload behind them. Empty texts: not known. */
export interface WorkloadMetadata {
  readonly name: string
  readonly namespace: string
  readonly cluster: string
  readonly canonicalName: string
  readonly canonicalRevision: string
  readonly app: string
  readonly version: string
}

/** Keys of StreamInfo.filterState. */
export const DOWNSTREAM_PEER = 'downstream_peer'
export const UPSTREAM_PEER = 'upstream_peer'

/** Longest header value that is decoded. */
const MAX_ENCODED = 16 * 1024

type Loose = Readonly<Record<string, unknown>>

/** From node metadata, or from the Struct that a peer sent: both have Istio's keys. */
export function workloadOf(metadata: Loose): WorkloadMetadata {
  const labels = (typeof metadata['LABELS'] === 'object' && metadata['LABELS'] !== null ? metadata['LABELS'] : {}) as Loose
  return {
    name: text(metadata['WORKLOAD_NAME']),
    namespace: text(metadata['NAMESPACE']),
    cluster: text(metadata['CLUSTER_ID']),
    canonicalName: text(labels['service.istio.io/canonical-name']) || text(metadata['WORKLOAD_NAME']),
    canonicalRevision: text(labels['service.istio.io/canonical-revision']) || 'latest',
    app: text(labels['app']),
    version: text(labels['version']),
  }
}

/** `istio` endpoint metadata: `workload;namespace;canonical name;canonical revision;cluster`. Undefined: too short. */
export function workloadOfEndpoint(encoded: unknown): WorkloadMetadata | undefined {
  const parts = typeof encoded === 'string' ? encoded.split(';') : []
  if (parts.length < 5) return undefined
  const [name = '', namespace = '', canonicalName = '', canonicalRevision = '', cluster = ''] = parts
  return { name, namespace, cluster, canonicalName, canonicalRevision, app: '', version: '' }
}

/** The value of x-envoy-peer-metadata: a Struct of what others need, with sorted keys, in base64. */
export function encodePeer(metadata: Loose): string {
  const labels = (metadata['LABELS'] ?? {}) as Loose
  const told = ['service.istio.io/canonical-name', 'service.istio.io/canonical-revision', 'app', 'version']
  const struct = {
    ...pick(metadata, ['NAME', 'NAMESPACE', 'WORKLOAD_NAME', 'CLUSTER_ID', 'OWNER']),
    LABELS: pick(labels, told),
  }
  return toBase64(encodeStruct(struct))
}

/** Undefined: not what a sidecar sends. */
export function decodePeer(header: string): WorkloadMetadata | undefined {
  if (header.length > MAX_ENCODED) return undefined
  const bytes = fromBase64(header)
  if (bytes === undefined) return undefined
  const struct = decodeStruct(bytes)
  return struct && workloadOf(struct)
}

// A Struct by itself is no message of the API: it is written and read as field 2 of a TypedStruct, without that field's head.
const FIELD_2 = 0x12

function encodeStruct(struct: object): Uint8Array {
  const bytes = TypedStruct.encode({ value: struct as NonNullable<TypedStruct['value']> })
  let at = 1
  while (bytes[at]! >= 0x80) at++
  return bytes.subarray(at + 1)
}

function decodeStruct(bytes: Uint8Array): Loose | undefined {
  const head = [FIELD_2]
  for (let length = bytes.length; ; length >>>= 7) {
    head.push(length > 0x7f ? (length & 0x7f) | 0x80 : length)
    if (length <= 0x7f) break
  }
  const whole = new Uint8Array(head.length + bytes.length)
  whole.set(head)
  whole.set(bytes, head.length)
  const decoded = TypedStruct.decode(whole)
  return decoded.ok ? ((decoded.value.value ?? {}) as Loose) : undefined
}

function pick(from: Loose, keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(keys.flatMap((key) => (typeof from[key] === 'string' && from[key] !== '' ? [[key, from[key]]] : [])))
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
