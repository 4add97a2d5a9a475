import type { MeshConfig } from '@heddle/config-model'
import { hostSubsetOf, isWildcard } from '../hosts.js'

/** Whether a service is only for the clients of its own cluster: MeshConfig.serviceSettings, the exact or longest host first; of those not named the parts of Kubernetes itself. */
export function isClusterLocal(mesh: MeshConfig, hostname: string, domainSuffix: string): boolean {
  let best = ''
  let local = hostname === `kubernetes.default.svc.${domainSuffix}` || hostname.endsWith(`.kube-system.svc.${domainSuffix}`)
  for (const { hosts = [], settings } of mesh.serviceSettings ?? []) {
    for (const host of hosts) {
      if (!hostSubsetOf(hostname, host)) continue
      const better = best === '' || (isWildcard(best) && (!isWildcard(host) || host.length > best.length))
      if (better) [best, local] = [host, settings?.clusterLocal === true]
    }
  }
  return local
}
