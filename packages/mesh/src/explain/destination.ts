import type { MeshService, MeshSnapshot } from '@heddle/config-model'
import type { ProxyDescriptor } from '@heddle/translator'
import type { Workload } from '../workloads.js'

export interface Destination {
  readonly address: string
  readonly port: number
}

// What an app's resolver gives for a name that no service has an address for: any address outside the mesh will do.
const ELSEWHERE = '192.0.2.1'

/** Where a connection from outside arrives at a gateway: the Service in front of it takes one port for another. */
export function gatewayDestination(snapshot: MeshSnapshot, { namespace, address }: Workload, port: number): Destination {
  for (const service of snapshot.services) {
    if (service.namespace !== namespace || service.selector === undefined) continue
    const taken = service.ports.find(({ number }) => number === port)
    const endpoint = taken && snapshot.endpoints(service, taken.name).find((one) => one.address === address)
    if (endpoint !== undefined) return { address, port: endpoint.port }
  }
  return { address: address === '' ? ELSEWHERE : address, port }
}

/**
 * Where an app's connection for `host:port` goes: to its sidecar's HTTP proxy listener where there is one, else to the address that its
 * resolver gives, and the sidecar captures it on the way.
 */
export function destinationOf(snapshot: MeshSnapshot, proxy: ProxyDescriptor, host: string, port: number): Destination {
  if (proxy.httpProxyPort !== undefined) return { address: '127.0.0.1', port: proxy.httpProxyPort }
  if (/^[\d.]+$|:/.test(host)) return { address: host, port }
  const service = serviceNamed(snapshot, proxy.namespace, host)
  const address = service?.addresses[0]
  return { address: address === undefined || address === '0.0.0.0' || address === 'None' ? ELSEWHERE : address, port }
}

/** As a resolver with Kubernetes' search path would: `cart`, `cart.shop`, `cart.shop.svc`, the whole name. */
function serviceNamed(snapshot: MeshSnapshot, namespace: string, host: string): MeshService | undefined {
  const suffix = '.svc.cluster.local'
  const names = [host, `${host}.${namespace}${suffix}`, `${host}${suffix}`, `${host}.cluster.local`]
  for (const name of names) {
    const [service] = snapshot.servicesOf(name.toLowerCase())
    if (service !== undefined) return service
  }
  return undefined
}
