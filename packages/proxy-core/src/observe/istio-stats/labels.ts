import { dropOldest } from '@heddle/runtime'
import type { FilterDeps } from '../../http/filter.js'
import type { StreamInfo } from '../../http/stream-info.js'
import { DOWNSTREAM_PEER, UPSTREAM_PEER, type WorkloadMetadata, workloadOf, workloadOfEndpoint } from '../peer/workload.js'
import { serviceOf } from './service.js'

/** Who called whom: labels of every Istio metric, in Istio's order (docs: reference/config/metrics). */
export const PEER_LABELS = [
  'reporter',
  'source_workload',
  'source_canonical_service',
  'source_canonical_revision',
  'source_workload_namespace',
  'source_principal',
  'source_app',
  'source_version',
  'source_cluster',
  'destination_workload',
  'destination_workload_namespace',
  'destination_principal',
  'destination_app',
  'destination_version',
  'destination_service',
  'destination_canonical_service',
  'destination_canonical_revision',
  'destination_service_name',
  'destination_service_namespace',
  'destination_cluster',
] as const

/** How it went: labels that come after them, of requests all, of connections those that they have. */
export const STREAM_LABELS = [
  'request_protocol',
  'response_code',
  'grpc_response_status',
  'response_flags',
  'connection_security_policy',
] as const

const UNKNOWN = 'unknown'
const LATEST = 'latest'

export interface Labeller {
  /** Whether it is known by now who the other side is. */
  knowsPeer(info: StreamInfo): boolean
  /** Values of {@link PEER_LABELS}; the caller may add to them. */
  peers(info: StreamInfo): string[]
  /** `connection_security_policy`: only a server can tell. */
  security(info: StreamInfo): string
}

export interface LabellerOptions {
  /** The Host stands for a service that no cluster names. */
  readonly hostFallback: boolean
  /** A waypoint: it speaks for neither side. */
  readonly waypoint: boolean
}

export type LabellerDeps = Pick<FilterDeps, 'node' | 'direction' | 'clusterMetadata'>

/** As Istio's proxy fills them in: what it knows of itself as it stands, empty or not; of the other side `unknown` what nobody told. */
export function createLabeller({ waypoint, hostFallback }: LabellerOptions, deps: LabellerDeps): Labeller {
  const own = workloadOf(deps.node.metadata)
  const atServer = waypoint || deps.direction === 'INBOUND'
  const reporter = waypoint ? 'waypoint' : atServer ? 'destination' : 'source'
  const told = atServer ? DOWNSTREAM_PEER : UPSTREAM_PEER
  const labels = waypoint ? waypointLabels : atServer ? serverLabels : clientLabels
  return {
    knowsPeer: (info) => info.filterState.has(told),
    peers: (info) => labels(reporter, own, info, serviceOf(info, hostFallback, deps.clusterMetadata)),
    security(info) {
      if (!atServer) return UNKNOWN
      return info.peerPrincipal !== undefined && info.localPrincipal !== undefined ? 'mutual_tls' : 'none'
    },
  }
}

type Labels = (reporter: string, own: WorkloadMetadata, info: StreamInfo, service: ReturnType<typeof serviceOf>) => string[]

// Each list is written out whole: it is made for every request, and spreading one costs as much as all the rest.

const serverLabels: Labels = (reporter, own, info, service) => {
  const from = callerOf(info)
  return [
    reporter,
    known(from.name),
    known(from.canonicalName),
    from.canonicalRevision || LATEST,
    known(namespaceOf(info.peerPrincipal) || from.namespace),
    known(info.peerPrincipal),
    known(from.app),
    known(from.version),
    known(from.cluster),
    own.name,
    own.namespace,
    known(info.localPrincipal),
    own.app,
    own.version,
    service.host || own.canonicalName,
    own.canonicalName,
    own.canonicalRevision,
    service.name || own.canonicalName,
    own.namespace,
    own.cluster,
  ]
}

/** What it forwards to speaks for the destination, if it speaks. */
const waypointLabels: Labels = (reporter, _own, info, service) => {
  const from = callerOf(info)
  const to = (info.filterState.get(UPSTREAM_PEER) as WorkloadMetadata | undefined) ?? NOBODY
  return [
    reporter,
    known(from.name),
    known(from.canonicalName),
    from.canonicalRevision || LATEST,
    known(namespaceOf(info.peerPrincipal) || from.namespace),
    known(info.peerPrincipal),
    known(from.app),
    known(from.version),
    known(from.cluster),
    known(to.name),
    known(to.namespace),
    known(info.upstreamPeerPrincipal),
    known(to.app),
    known(to.version),
    known(service.host),
    known(to.canonicalName),
    known(to.canonicalRevision),
    known(service.name),
    known(service.namespace),
    known(to.cluster),
  ]
}

const clientLabels: Labels = (reporter, own, info, service) => {
  const to = upstreamPeer(info) ?? NOBODY
  const namespace = namespaceOf(info.upstreamPeerPrincipal) || to.namespace
  return [
    reporter,
    own.name,
    own.canonicalName,
    own.canonicalRevision,
    own.namespace,
    known(info.upstreamLocalPrincipal),
    own.app,
    own.version,
    own.cluster,
    known(to.name),
    known(namespace),
    known(info.upstreamPeerPrincipal),
    known(to.app),
    known(to.version),
    known(service.host),
    known(to.canonicalName),
    to.canonicalRevision || LATEST,
    known(service.name),
    known(service.namespace || namespace),
    known(to.cluster),
  ]
}

function callerOf(info: StreamInfo): Partial<WorkloadMetadata> {
  return (info.filterState.get(DOWNSTREAM_PEER) as WorkloadMetadata | undefined) ?? NOBODY
}

/** A peer that says nothing. */
const NOBODY: Partial<WorkloadMetadata> = {}

/** What the other sidecar said, or what the control plane says of the endpoint. */
function upstreamPeer(info: StreamInfo): WorkloadMetadata | undefined {
  const told = info.filterState.get(UPSTREAM_PEER) as WorkloadMetadata | undefined
  return told ?? workloadOfEndpoint(info.endpoint?.metadata['istio']?.['workload'])
}

/** By principal: the same few come again and again, and the same text is found faster than an equal one. */
const namespaces = new Map<string, string>()
const MAX_NAMESPACES = 1_000

/** Of `spiffe://<trust domain>/ns/<namespace>/sa/<account>`: what a certificate says counts before what a peer says. */
function namespaceOf(principal: string | undefined): string {
  if (principal === undefined) return ''
  let namespace = namespaces.get(principal)
  if (namespace === undefined) {
    namespace = /\/ns\/([^/]*)/.exec(principal)?.[1] ?? ''
    namespaces.set(principal, namespace)
    dropOldest(namespaces, MAX_NAMESPACES)
  }
  return namespace
}

function known(value: string | undefined): string {
  return value === undefined || value === '' ? UNKNOWN : value
}
