import type { Origin } from '@heddle/runtime'

/** Kubernetes object metadata, the part that a mesh reads. */
export interface ObjectMeta {
  name: string
  /** '' for cluster-scoped kinds; `default` when a namespaced object names none. */
  namespace: string
  labels: Readonly<Record<string, string>>
  annotations: Readonly<Record<string, string>>
  /** RFC 3339; age decides conflicts. */
  creationTimestamp?: string
  uid?: string
  resourceVersion?: string
  generation?: number
}

/** A decoded resource. API versions v1alpha3, v1beta1 and v1 are one model. */
export interface Resource<K extends string = string, S = unknown> {
  readonly kind: K
  readonly metadata: ObjectMeta
  readonly spec: S
  readonly status?: unknown
}

/** `VirtualService nolen/apps-svc-all-vs`: what a resource is called in messages and keys. */
export type ResourceKey = `${string} ${string}/${string}`

export function keyOf(resource: Resource): ResourceKey {
  return `${resource.kind} ${nameKey(resource.metadata)}`
}

/** `namespace/name`; of an object that its annotation topology.istio.io/cluster puts into another cluster `namespace/name@cluster`, so that clusters may have objects of one name. */
export function nameKey(metadata: ObjectMeta): `${string}/${string}` {
  return inCluster(`${metadata.namespace}/${metadata.name}`, clusterOf(metadata))
}

/** The key of an object of that name in a cluster; undefined is the own one. */
export function inCluster<K extends string>(key: K, cluster: string | undefined): K | `${K}@${string}` {
  return cluster === undefined ? key : `${key}@${cluster}`
}

/** The cluster that an object names; undefined: the own one. */
export function clusterOf({ annotations }: ObjectMeta): string | undefined {
  return annotations['topology.istio.io/cluster'] || undefined
}

/** Finds the line of a field when somebody asks; kept apart from resources, so that a comment in a file rebuilds nothing. */
export interface OriginIndex {
  /** `path` as in diagnostics: `spec.http[0].route[1]`; '' is the document. */
  locate(key: ResourceKey, path: string): Origin | undefined
}
