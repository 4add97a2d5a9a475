import { ok } from '@heddle/runtime'
import type { HttpFilterFactory } from '../../http/filter.js'

/** envoy.filters.http.grpc_stats only counts; its counters are not kept yet, and it changes no request. */
export const grpcStatsFilter: HttpFilterFactory<undefined> = {
  typeNames: ['envoy.extensions.filters.http.grpc_stats.v3.FilterConfig'],
  decode: () => ok(undefined),
  create: () => () => ({}),
}
