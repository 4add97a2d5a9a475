import type { Diagnostic } from '@heddle/runtime'
import type { ResourceSet } from '@heddle/xds-types'
import { CLUSTER_TYPE, ROUTE_TYPE } from './message.js'
import type { Origins } from './provenance.js'

/**
 * References of routes to clusters that the proxy does not get. istiod leaves them too (`validate_clusters: false`): a request gets 503.
 * One warning `translate.unknown_cluster` per cluster and place in the user's config.
 */
export function danglingReferences(resources: ResourceSet, origins: Pick<Origins, 'of'>): Diagnostic[] {
  const known = new Set(
    resources.groups.flatMap((g) => (g.resources.get(CLUSTER_TYPE) ?? []).map((c) => (c as { name?: string }).name)),
  )
  const found = new Map<string, Diagnostic>()
  const walk = (value: unknown, owner: object | undefined): void => {
    if (Array.isArray(value)) for (const v of value) walk(v, owner)
    else if (typeof value === 'object' && value !== null) {
      const at = origins.of(value).length > 0 ? value : owner
      for (const [key, v] of Object.entries(value)) {
        if ((key === 'cluster' || (key === 'name' && 'weight' in value)) && typeof v === 'string' && !known.has(v))
          report(v, value, at)
        walk(v, at)
      }
    }
  }
  const report = (cluster: string, message: object, owner: object | undefined): void => {
    const [source] = [...origins.of(message, 'cluster'), ...(owner === undefined ? [] : origins.of(owner))]
    const subject = source === undefined ? undefined : `${source.kind} ${source.namespace}/${source.name}`
    found.set(`${subject} ${source?.path} ${cluster}`, {
      code: 'translate.unknown_cluster',
      severity: 'warning',
      path: source?.path ?? '',
      message: `There is no ${cluster} for this proxy: requests get 503. Check host, port and subset of the destination.`,
      ...(subject === undefined ? {} : { subject }),
    })
  }
  for (const group of resources.groups) walk(group.resources.get(ROUTE_TYPE), undefined)
  return [...found.values()]
}
