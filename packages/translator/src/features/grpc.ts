import { writtenOnce } from '@heddle/xds-types'
import { typed } from '../message.js'
import type { HttpFeature } from './feature.js'

/** Turns gRPC-Web of browsers into gRPC. */
export const grpcWeb: HttpFeature = {
  name: 'grpc-web',
  filters: ({ protocol }) =>
    protocol === 'GRPC-Web'
      ? [{ name: 'envoy.filters.http.grpc_web', typed_config: typed('envoy.extensions.filters.http.grpc_web.v3.GrpcWeb') }]
      : [],
}

/** Counts gRPC messages for istio.stats. */
export const grpcStats: HttpFeature = {
  name: 'grpc-stats',
  filters: () => GRPC_STATS,
}

const GRPC_STATS = [
  writtenOnce({
    name: 'envoy.filters.http.grpc_stats',
    typed_config: typed('envoy.extensions.filters.http.grpc_stats.v3.FilterConfig', {
      emit_filter_state: true,
      stats_for_all_methods: false,
    }),
  }),
]
