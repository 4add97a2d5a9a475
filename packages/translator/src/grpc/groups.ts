import type { ResourceGroup } from '@heddle/xds-types'
import type { Build } from '../build.js'
import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE } from '../message.js'
import type { ServiceTarget } from '../service-targets.js'
import { grpcClusters } from './clusters.js'
import { grpcInbound } from './inbound.js'
import { grpcOutbound } from './outbound.js'

/** All that a gRPC client (`xds:///host:port`) and server may ask for. */
export function grpcGroups(build: Build, targets: readonly ServiceTarget[]): ResourceGroup[] {
  const { listeners, routes } = grpcOutbound(build)
  const { clusters, endpoints } = grpcClusters(build, routes)
  return [
    group(build, 'outbound', {
      [LISTENER_TYPE]: listeners,
      [ROUTE_TYPE]: routes,
      [CLUSTER_TYPE]: clusters,
      [ENDPOINT_TYPE]: endpoints,
    }),
    group(build, 'inbound', { [LISTENER_TYPE]: grpcInbound(build, targets) }),
  ]
}

function group(
  { proxy, types }: Build,
  direction: 'outbound' | 'inbound',
  resources: Readonly<Record<string, readonly object[]>>,
): ResourceGroup {
  const wanted = Object.entries(resources).filter(([type, list]) => list.length > 0 && types?.has(type) !== false)
  return { id: `grpc ${direction} ${proxy.id}`, resources: new Map(wanted) }
}
