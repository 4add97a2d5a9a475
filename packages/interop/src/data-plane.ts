import type { WorkloadIdentity } from '@heddle/proxy-core'

/** `DELTA_GRPC` or `GRPC`: the two variants of aggregated discovery, by the names that bootstraps use. */
export type AdsVariant = 'DELTA_GRPC' | 'GRPC'

export interface DataPlaneOptions {
  /** `host:port` of the control plane. */
  readonly control: string
  readonly variant: AdsVariant
  readonly node: { readonly id: string; readonly cluster: string; readonly metadata: Readonly<Record<string, unknown>> }
  /** What an agent beside the proxy would hold. */
  readonly identity: WorkloadIdentity
}

/** A proxy that runs. */
export interface RunningDataPlane {
  /** Its last words, for failures. */
  readonly log: string
  close(): Promise<void>
}

/** A kind of proxy. `start` resolves when everything that was configured first is in force. */
export interface DataPlane {
  readonly name: string
  start(options: DataPlaneOptions): Promise<RunningDataPlane>
}

/** What any bootstrap says of where configuration comes from. */
export function dynamicResources(variant: AdsVariant, cluster: string): object {
  return {
    ads_config: {
      api_type: variant,
      transport_api_version: 'V3',
      set_node_on_first_message_only: true,
      grpc_services: [{ envoy_grpc: { cluster_name: cluster } }],
    },
    lds_config: { ads: {}, resource_api_version: 'V3' },
    cds_config: { ads: {}, resource_api_version: 'V3' },
  }
}

/** A static cluster that speaks gRPC to `address`. */
export function grpcCluster(name: string, address: string): object {
  const [host = '', port = ''] = address.split(':')
  return {
    name,
    type: 'STATIC',
    connect_timeout: '5s',
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
    load_assignment: {
      cluster_name: name,
      endpoints: [
        {
          lb_endpoints: [{ endpoint: { address: { socket_address: { address: host, port_value: Number(port) } } } }],
        },
      ],
    },
  }
}

/** The admin page on a port that is free. */
export const ADMIN = { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } } as const
