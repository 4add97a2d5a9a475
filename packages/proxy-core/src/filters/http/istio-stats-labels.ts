import type { StreamInfo } from '../../http/stream-info.js'
import { DOWNSTREAM_PEER, UPSTREAM_PEER, type WorkloadMetadata, workloadOfEndpoint } from './workload.js'

/** Labels that every Istio HTTP metric has, in Istio's order (docs: reference/config/metrics). */
export const COMMON_LABELS = [
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
  'request_protocol',
  'response_code',
  'grpc_response_status',
  'response_flags',
  'connection_security_policy',
] as const

const UNKNOWN = 'unknown'

export interface LabelContext {
  readonly reporter: 'source' | 'destination'
  readonly own: WorkloadMetadata
  /** The services behind the cluster, from its `istio` metadata. */
  readonly service: { readonly host?: string; readonly name?: string; readonly namespace?: string } | undefined
  readonly grpc: boolean
  readonly mutualTls: boolean
  /** The Host stands for a service that no cluster names. */
  readonly hostFallback: boolean
}

/** The label values of one finished request, in the order of {@link COMMON_LABELS}. The caller may add to them. */
export function istioLabels(info: StreamInfo, context: LabelContext): string[] {
  const { reporter, own, service, grpc } = context
  const atSource = reporter === 'source'
  const peer = atSource ? upstreamPeer(info) : (info.filterState.get(DOWNSTREAM_PEER) as WorkloadMetadata | undefined)
  const source = (atSource ? own : peer) ?? NOBODY
  const destination = (atSource ? peer : own) ?? NOBODY
  const host = service?.host ?? (context.hostFallback ? info.authority : '')
  return [
    reporter,
    known(source.name),
    known(source.canonicalName),
    revision(source),
    known(source.namespace),
    known(atSource ? info.upstreamLocalPrincipal : info.peerPrincipal),
    known(source.app),
    known(source.version),
    known(source.cluster),
    known(destination.name),
    known(destination.namespace),
    known(atSource ? info.upstreamPeerPrincipal : info.localPrincipal),
    known(destination.app),
    known(destination.version),
    known(host),
    known(destination.canonicalName),
    revision(destination),
    known(service?.name ?? host),
    known(service?.namespace ?? destination.namespace),
    known(destination.cluster),
    grpc ? 'grpc' : 'http',
    String(info.status),
    grpc ? (info.grpcStatus ?? '') : '',
    info.flags.size === 0 ? '-' : [...info.flags].join(','),
    atSource ? UNKNOWN : context.mutualTls ? 'mutual_tls' : 'none',
  ]
}

/** A peer that says nothing. */
const NOBODY: Partial<WorkloadMetadata> = {}

function revision(workload: Partial<WorkloadMetadata>): string {
  return workload === NOBODY ? UNKNOWN : workload.canonicalRevision || 'latest'
}

/** What the other sidecar said, or what the control plane says of the endpoint. */
function upstreamPeer(info: StreamInfo): WorkloadMetadata | undefined {
  const told = info.filterState.get(UPSTREAM_PEER) as WorkloadMetadata | undefined
  return told ?? workloadOfEndpoint(info.endpoint?.metadata['istio']?.['workload'])
}

function known(value: string | undefined): string {
  return value === undefined || value === '' ? UNKNOWN : value
}
