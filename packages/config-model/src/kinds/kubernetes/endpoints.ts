import type { Resource } from '../../resource.js'
import type { ObjectReference, SlicePort } from './endpoint-slice.js'

/** Kubernetes core/v1 Endpoints; its top-level `subsets` is the spec here. */
export interface EndpointsSpec {
  subsets?: readonly EndpointSubset[]
}

export type Endpoints = Resource<'Endpoints', EndpointsSpec>

export interface EndpointAddress {
  ip: string
  hostname?: string
  nodeName?: string
  targetRef?: ObjectReference
}

export interface EndpointSubset {
  addresses?: readonly EndpointAddress[]
  notReadyAddresses?: readonly EndpointAddress[]
  ports?: readonly SlicePort[]
}
