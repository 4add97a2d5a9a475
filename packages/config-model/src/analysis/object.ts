import type { KindName } from '../kinds/index.js'
import type { DocumentOrigin } from '../origins.js'
import type { ObjectMeta } from '../resource.js'

/** One object under analysis, decoded as far as it could be: analyzers also look at what validation refuses. */
export interface ConfigObject<S = unknown> {
  /** As written; `Gateway` may be of Istio or of Gateway API: see `group`. */
  readonly kind: string
  /** '' is the Kubernetes core. */
  readonly group: string
  /** The kind that it was decoded as; undefined: it is kept as written. */
  readonly known: KindName | undefined
  readonly metadata: ObjectMeta
  readonly spec: S
  /** The whole object, as written. */
  readonly written: Readonly<Record<string, unknown>>
  /** Absent: one of the objects that an installation has by default. */
  readonly document?: DocumentOrigin
}

/** `namespace/name`, or the name of what has no namespace. */
export function fullName({ metadata }: Pick<ConfigObject, 'metadata'>): string {
  return metadata.namespace === '' ? metadata.name : `${metadata.namespace}/${metadata.name}`
}

/** `VirtualService shop/cart`: what messages call it. */
export function friendlyName(object: Pick<ConfigObject, 'kind' | 'metadata'>): string {
  return `${object.kind} ${fullName(object)}`
}
