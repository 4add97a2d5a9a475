import { InputError, UsageError } from './command.js'
import { fetchPage } from './fetch-page.js'

/** Where a control plane serves its debug pages unless told otherwise. */
export const CONTROL_PLANE_ADDRESS = '127.0.0.1:8080'

/** A row of `/debug/syncz`. */
export interface ConnectedProxy {
  readonly node_id: string
  readonly cluster_id: string
  readonly proxy_version: string
  readonly istiod: string
  /** What it refuses, with the objects behind it; absent from control planes that do not tell. */
  readonly refusals?: readonly {
    readonly resource: string
    readonly sources: readonly {
      readonly object: string
      readonly path: string
      readonly origin?: { readonly file: string; readonly line: number }
    }[]
  }[]
  readonly types: Readonly<
    Record<string, { readonly state: string; readonly acked?: unknown; readonly nacked?: { readonly message: string } }>
  >
}

/** The proxies of a control plane. Undefined: there is no control plane at the address, but something else. */
export async function connectedProxies(address: string): Promise<readonly ConnectedProxy[] | undefined> {
  const page = await fetchPage(address, '/debug/syncz')
  if (page === undefined) return undefined
  return (JSON.parse(page) as { proxies: ConnectedProxy[] }).proxies
}

/** `pod.namespace`, as people call a proxy: the third part of `sidecar~10.0.0.1~pod.namespace~domain`. */
export function proxyName(nodeId: string): string {
  const parts = nodeId.split('~')
  return parts.length === 4 ? (parts[2] ?? nodeId) : nodeId
}

/** The proxy that is called `wanted`: a node id, `pod.namespace`, `pod/namespace`'s kin, or a pod alone where that is one proxy only. */
export function findProxy(proxies: readonly ConnectedProxy[], wanted: string): ConnectedProxy {
  const name = wanted.includes('/') ? wanted.split('/').reverse().join('.') : wanted
  const matching = proxies.filter(({ node_id }) => {
    const own = proxyName(node_id)
    return node_id === wanted || own === name || own.split('.')[0] === name
  })
  // A proxy that has come back may have its old stream beside the new one.
  const found = matching.at(-1)
  const names = [...new Set(matching.map(({ node_id }) => proxyName(node_id)))]
  if (names.length > 1) throw new UsageError(`${wanted} may be ${names.join(' or ')}; name the namespace too`)
  if (found !== undefined) return found
  const known = [...new Set(proxies.map(({ node_id }) => proxyName(node_id)))].sort()
  throw new InputError(`no proxy ${wanted} is connected; there ${known.length === 0 ? 'is none' : `are ${known.join(', ')}`}`)
}
