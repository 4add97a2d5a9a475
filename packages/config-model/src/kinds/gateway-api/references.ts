import { fields } from '../../decode/fields.js'
import { type Decode, int32, text, uint32 } from '../../decode/value.js'

/** API group of the Gateway API. */
export const GATEWAY_API_GROUP = 'gateway.networking.k8s.io'

/** A parent that a route attaches to: a Gateway unless it says otherwise, or a ListenerSet, Service or ServiceEntry. */
export interface ParentReference {
  group?: string
  kind?: string
  /** Default: the route's own. */
  namespace?: string
  name: string
  sectionName?: string
  port?: number
}

/** Where a route sends traffic: a Service unless it says otherwise. */
export interface BackendReference {
  group?: string
  kind?: string
  name: string
  /** Default: the route's own; another one needs a ReferenceGrant. */
  namespace?: string
  port?: number
}

export interface WeightedBackend extends BackendReference {
  /** Default 1; 0: no traffic. */
  weight?: number
}

/** An object in the same or another namespace. */
export interface ObjectReferenceTo {
  group?: string
  kind?: string
  name: string
  namespace?: string
}

export const parentReference: Decode<ParentReference> = fields<ParentReference>(
  { group: text, kind: text, namespace: text, name: text, sectionName: text, port: uint32 },
  { required: ['name'], open: true },
)

export const backendReference: Decode<BackendReference> = fields<BackendReference>(
  { group: text, kind: text, name: text, namespace: text, port: uint32 },
  { required: ['name'], open: true },
)

export const weightedBackend: Decode<WeightedBackend> = fields<WeightedBackend>(
  { group: text, kind: text, name: text, namespace: text, port: uint32, weight: int32 },
  { required: ['name'], open: true },
)

export const objectReferenceTo: Decode<ObjectReferenceTo> = fields<ObjectReferenceTo>(
  { group: text, kind: text, name: text, namespace: text },
  { required: ['name'], open: true },
)
