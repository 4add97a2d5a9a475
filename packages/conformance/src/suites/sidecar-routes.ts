import { firstDifference } from '../compare.js'
import { each, type Suite, type Verdict } from '../suite.js'
import { type Json, listAt, mapAt, meshOf, proxyOf, textAt, translated } from './mesh.js'

interface Case {
  readonly id: string
  readonly config: string
  readonly proxy: { readonly ConfigNamespace: string }
  readonly routeName: string
  /** By domain; null: no virtual host has it. */
  readonly expectedVirtualHostClusters: Readonly<Record<string, readonly string[] | null>> | null
}

/** A route configuration of a sidecar -> the clusters of each virtual host, in order. */
export const sidecarRoutes: Suite = {
  name: 'sidecar-routes',
  file: 'sidecar-routes.json',
  run: (data) => each(data.json() as Case[], ({ id }) => id, judge),
}

function judge({ config, proxy, routeName, expectedVirtualHostClusters: want }: Case): Verdict {
  const { routes } = translated(meshOf([config]), proxyOf({ id: 'app-0', namespace: proxy.ConfigNamespace, ip: '1.1.1.1' }))
  const hosts = listAt(
    routes.find((one) => textAt(one, 'name') === routeName),
    'virtual_hosts',
  )
  for (const [domain, clusters] of Object.entries(want ?? {})) {
    const host = hosts.find((one) => (one['domains'] as readonly string[]).includes(domain))
    const difference = firstDifference(clusters, host === undefined ? null : listAt(host, 'routes').flatMap(clustersOf))
    if (difference !== undefined) return `${domain}: ${difference}`
  }
  return undefined
}

function clustersOf(route: Json): string[] {
  const action = mapAt(route, 'route')
  if (typeof action?.['cluster'] === 'string') return [action['cluster']]
  return listAt(mapAt(action, 'weighted_clusters'), 'clusters').map((cluster) => textAt(cluster, 'name'))
}
