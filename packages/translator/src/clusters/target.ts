import type { MeshService, ServicePort, TrafficPolicy } from '@heddle/config-model'
import type { Build } from '../build.js'
import type { MergedRule, MergedSubset } from '../merged-rules.js'
import { outboundCluster, sniOfCluster, vipCluster } from '../names.js'

/** What one outbound cluster is for. */
export interface ClusterTarget {
  readonly build: Build
  readonly service: MeshService
  readonly port: ServicePort
  readonly rule: MergedRule | undefined
  readonly subset: MergedSubset | undefined
  /** Of the destination, the port and the subset, already laid over each other. */
  readonly policy: TrafficPolicy | undefined
  /** For clients that chose the cluster by the SNI of mTLS that goes through untouched. */
  readonly sniDnat: boolean
  /** Of a waypoint: what the port is taken for. */
  readonly vip?: 'http' | 'tcp'
}

export function clusterNameOf({ service, port, subset, sniDnat, vip }: ClusterTarget): string {
  const name = subset?.subset.name ?? ''
  if (vip !== undefined) return vipCluster(port.number, vip, name, service.hostname)
  return sniDnat ? sniOfCluster(port.number, name, service.hostname) : outboundCluster(port.number, name, service.hostname)
}
