import { fromBase64, toBase64 } from '@heddle/xds-types'
import { decodeStruct, encodeStruct } from './bare-messages.js'

/** What Istio's sidecars tell one another of the workload behind them. Empty texts: not known. */
export interface WorkloadMetadata {
  readonly name: string
  readonly namespace: string
  readonly cluster: string
  readonly canonicalName: string
  readonly canonicalRevision: string
  readonly app: string
  readonly version: string
  /** All that were told, those above among them. */
  readonly labels: Readonly<Record<string, string>>
}

/** Keys of StreamInfo.filterState. */
export const DOWNSTREAM_PEER = 'downstream_peer'
export const UPSTREAM_PEER = 'upstream_peer'

/** Longest header value that is decoded. */
const MAX_ENCODED = 16 * 1024

type Loose = Readonly<Record<string, unknown>>

/** From node metadata, or from the Struct that a peer sent: both have Istio's keys. */
export function workloadOf(metadata: Loose): WorkloadMetadata {
  const labels = labelsIn(metadata)
  return {
    name: text(metadata['WORKLOAD_NAME']),
    namespace: text(metadata['NAMESPACE']),
    cluster: text(metadata['CLUSTER_ID']),
    canonicalName: text(labels['service.istio.io/canonical-name']) || text(metadata['WORKLOAD_NAME']),
    canonicalRevision: text(labels['service.istio.io/canonical-revision']) || 'latest',
    app: text(labels['app']),
    version: text(labels['version']),
    labels: pick(labels, Object.keys(labels)),
  }
}

/** `istio` endpoint metadata: `workload;namespace;canonical name;canonical revision;cluster`. Undefined: too short. */
export function workloadOfEndpoint(encoded: unknown): WorkloadMetadata | undefined {
  const parts = typeof encoded === 'string' ? encoded.split(';') : []
  if (parts.length < 5) return undefined
  const [name = '', namespace = '', canonicalName = '', canonicalRevision = '', cluster = ''] = parts
  return { name, namespace, cluster, canonicalName, canonicalRevision, app: '', version: '', labels: {} }
}

const TOLD_LABELS = ['service.istio.io/canonical-name', 'service.istio.io/canonical-revision', 'app', 'version']

/** What others are told: of the metadata what they need, with sorted keys; of the labels those of metrics and `additional` ones. */
export function toldOf(metadata: Loose, additional: readonly string[] = []): Loose {
  return {
    ...pick(metadata, ['NAME', 'NAMESPACE', 'WORKLOAD_NAME', 'CLUSTER_ID', 'OWNER']),
    LABELS: pick(labelsIn(metadata), [...TOLD_LABELS, ...additional]),
  }
}

/** The value of x-envoy-peer-metadata: {@link toldOf} in base64. */
export function encodePeer(metadata: Loose, additional?: readonly string[]): string {
  return toBase64(encodeStruct(toldOf(metadata, additional)))
}

/** Undefined: not what a sidecar sends. */
export function decodePeer(header: string): WorkloadMetadata | undefined {
  if (header.length > MAX_ENCODED) return undefined
  const bytes = fromBase64(header)
  if (bytes === undefined) return undefined
  const struct = decodeStruct(bytes)
  return struct && workloadOf(struct)
}

function pick(from: Loose, keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(keys.flatMap((key) => (typeof from[key] === 'string' && from[key] !== '' ? [[key, from[key]]] : [])))
}

function labelsIn({ LABELS: labels }: Loose): Loose {
  return typeof labels === 'object' && labels !== null ? (labels as Loose) : {}
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
