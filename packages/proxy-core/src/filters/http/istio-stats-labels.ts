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

export type IstioLabel = (typeof COMMON_LABELS)[number]

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

/** The label values of one finished request. */
export function istioLabels(info: StreamInfo, context: LabelContext): Record<IstioLabel, string> {
  const { reporter, own, service, grpc } = context
  const atSource = reporter === 'source'
  const peer = atSource ? upstreamPeer(info) : (info.filterState.get(DOWNSTREAM_PEER) as WorkloadMetadata | undefined)
  const [source, destination] = atSource ? [own, peer] : [peer, own]
  const host = service?.host ?? (context.hostFallback ? info.authority : '')
  return {
    reporter,
    ...workloadLabels('source', source),
    ...workloadLabels('destination', destination),
    source_principal: known(atSource ? info.upstreamLocalPrincipal : info.peerPrincipal),
    destination_principal: known(atSource ? info.upstreamPeerPrincipal : info.localPrincipal),
    destination_service: known(host),
    destination_service_name: known(service?.name ?? host),
    destination_service_namespace: known(service?.namespace ?? destination?.namespace),
    request_protocol: grpc ? 'grpc' : 'http',
    response_code: String(info.status),
    grpc_response_status: grpc ? (info.grpcStatus ?? '') : '',
    response_flags: info.flags.size === 0 ? '-' : [...info.flags].join(','),
    connection_security_policy: atSource ? UNKNOWN : context.mutualTls ? 'mutual_tls' : 'none',
  }
}

/** What the other sidecar said, or what the control plane says of the endpoint. */
function upstreamPeer(info: StreamInfo): WorkloadMetadata | undefined {
  const told = info.filterState.get(UPSTREAM_PEER) as WorkloadMetadata | undefined
  return told ?? workloadOfEndpoint(info.endpoint?.metadata['istio']?.['workload'])
}

type Side = 'source' | 'destination'
type WorkloadLabels<S extends Side> = {
  [K in `${S}_${'workload' | 'workload_namespace' | 'canonical_service' | 'canonical_revision' | 'app' | 'version' | 'cluster'}`]: string
}

function workloadLabels<S extends Side>(side: S, workload: WorkloadMetadata | undefined): WorkloadLabels<S> {
  return {
    [`${side}_workload`]: known(workload?.name),
    [`${side}_workload_namespace`]: known(workload?.namespace),
    [`${side}_canonical_service`]: known(workload?.canonicalName),
    [`${side}_canonical_revision`]: workload === undefined ? UNKNOWN : workload.canonicalRevision || 'latest',
    [`${side}_app`]: known(workload?.app),
    [`${side}_version`]: known(workload?.version),
    [`${side}_cluster`]: known(workload?.cluster),
  } as WorkloadLabels<S>
}

function known(value: string | undefined): string {
  return value === undefined || value === '' ? UNKNOWN : value
}
