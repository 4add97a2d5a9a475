import type { Clock, Random } from '@heddle/runtime'
import type { ForwardContext, Forwarder, Forwarding, ForwardSink } from '../http/forward.js'
import { ownAddress } from '../net/address.js'
import type { Timers } from '../net/timers.js'
import type { FindRequestStats } from '../observe/virtual-host-stats.js'
import type { ClusterManager } from '../upstream/cluster-manager.js'
import { Forward } from './forwarding.js'

export interface RouterOptions {
  readonly clusters: ClusterManager
  readonly timers: Timers
  readonly clock: Clock
  readonly random: Random
  /** Statistics of virtual clusters and routes; without it they are not kept. */
  readonly requestStats?: FindRequestStats
  /** Request bodies up to so many bytes can be sent again; larger ones are sent once. Default: 1 MiB, as Envoy's per_connection_buffer_limit_bytes. */
  readonly retryBufferBytes?: number
  /** What x-forwarded-for says of mirrored requests, as Envoy's local address does. Default: the machine's first IPv4 address. */
  readonly localAddress?: string
}

const RETRY_BUFFER_BYTES = 1024 * 1024

/** Envoy's router filter: cluster, endpoint, pool, timeouts, retries, mirrors. */
export function createRouter(options: RouterOptions): Forwarder {
  const retryBufferBytes = options.retryBufferBytes ?? RETRY_BUFFER_BYTES
  const runtime = { ...options, retryBufferBytes, localAddress: options.localAddress ?? ownAddress() }
  return {
    forward(context: ForwardContext, sink: ForwardSink): Forwarding {
      const forward = new Forward(runtime, context, sink)
      forward.start()
      return forward
    },
  }
}
