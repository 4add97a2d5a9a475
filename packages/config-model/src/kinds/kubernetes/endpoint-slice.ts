import type { Resource } from '../../resource.js'

/** Kubernetes discovery.k8s.io/v1 EndpointSlice; what the object has at its top level is the spec here. */
export interface EndpointSliceSpec {
  addressType: 'IPv4' | 'IPv6' | 'FQDN'
  endpoints?: readonly SliceEndpoint[]
  ports?: readonly SlicePort[]
}

export type EndpointSlice = Resource<'EndpointSlice', EndpointSliceSpec>

export interface SliceEndpoint {
  addresses: readonly string[]
  conditions?: { ready?: boolean; serving?: boolean; terminating?: boolean }
  hostname?: string
  nodeName?: string
  zone?: string
  targetRef?: ObjectReference
  hints?: { forZones?: readonly { name: string }[] }
}

export interface ObjectReference {
  kind?: string
  name?: string
  namespace?: string
  uid?: string
}

export interface SlicePort {
  name?: string
  /** Absent: all ports. */
  port?: number
  protocol?: string
  appProtocol?: string
}
