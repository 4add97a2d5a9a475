import type { Site } from '../decode/site.js'
import type { Decode } from '../decode/value.js'
import type { Resource } from '../resource.js'

/** How one kind is recognised, read and judged. */
export interface Kind<R extends Resource = Resource> {
  readonly name: R['kind']
  /** `kind` in YAML, where another kind has that name here: two API groups have a Gateway. Default: `name`. */
  readonly writtenAs?: string
  /** API groups that have it; '' is the Kubernetes core. All versions of a group are one model. */
  readonly groups: readonly string[]
  readonly namespaced: boolean
  /** Where the spec is: under `spec`, or the object itself (Secret, EndpointSlice). */
  readonly body: 'spec' | 'object'
  readonly spec: Decode<R['spec']>
  /** Istio's rules, told at places inside `site`, the place of the spec. */
  validate?(resource: R, site: Site): void
}

/** Keeps the type of a kind's resource. */
export function defineKind<R extends Resource>(kind: Kind<R>): Kind<R> {
  return kind
}
