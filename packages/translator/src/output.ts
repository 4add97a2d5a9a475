import type { ResourceSet } from '@heddle/xds-types'
import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE } from './message.js'

/** A proxy's resources by type: what `heddle translate` prints. */
export interface ResourcesJson {
  readonly listeners: readonly object[]
  readonly routes: readonly object[]
  readonly clusters: readonly object[]
  readonly endpoints: readonly object[]
  /** Names of the secrets that the others refer to. */
  readonly secrets: readonly string[]
}

/** All groups together, each list sorted by name. */
export function toJson(resources: ResourceSet): ResourcesJson {
  const of = (type: string): object[] =>
    resources.groups.flatMap((g) => g.resources.get(type) ?? []).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
  const [listeners, clusters] = [of(LISTENER_TYPE), of(CLUSTER_TYPE)]
  const secrets = new Set<string>()
  collectSecrets(listeners, secrets)
  collectSecrets(clusters, secrets)
  return { listeners, routes: of(ROUTE_TYPE), clusters, endpoints: of(ENDPOINT_TYPE), secrets: [...secrets].sort() }
}

function nameOf(resource: object): string {
  const { name, cluster_name } = resource as { name?: string; cluster_name?: string }
  return cluster_name ?? name ?? ''
}

/** Every `{ name, sds_config }` below `value`. */
function collectSecrets(value: unknown, found: Set<string>): void {
  if (Array.isArray(value)) for (const v of value) collectSecrets(v, found)
  else if (typeof value === 'object' && value !== null) {
    const { name, sds_config } = value as { name?: unknown; sds_config?: unknown }
    if (typeof name === 'string' && sds_config !== undefined) found.add(name)
    for (const v of Object.values(value)) collectSecrets(v, found)
  }
}
