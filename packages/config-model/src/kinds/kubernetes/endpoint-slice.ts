import { fields } from '../../decode/fields.js'
import { type Decode, flag, listOf, oneOf, text, uint32 } from '../../decode/value.js'
import type { Resource } from '../../resource.js'
import { defineKind, type Kind } from '../kind.js'

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

export const objectReference: Decode<ObjectReference> = fields<ObjectReference>(
  { kind: text, name: text, namespace: text, uid: text },
  { open: true },
)
export const slicePort: Decode<SlicePort> = fields<SlicePort>(
  { name: text, port: uint32, protocol: text, appProtocol: text },
  { open: true },
)

const endpoint = fields<SliceEndpoint>(
  {
    addresses: listOf(text),
    conditions: fields<NonNullable<SliceEndpoint['conditions']>>(
      { ready: flag, serving: flag, terminating: flag },
      { open: true },
    ),
    hostname: text,
    nodeName: text,
    zone: text,
    targetRef: objectReference,
    hints: fields<NonNullable<SliceEndpoint['hints']>>(
      { forZones: listOf(fields<{ name: string }>({ name: text }, { required: ['name'] })) },
      { open: true },
    ),
  },
  { defaults: { addresses: [] }, open: true },
)

export const endpointSlice: Kind<EndpointSlice> = defineKind<EndpointSlice>({
  name: 'EndpointSlice',
  groups: ['discovery.k8s.io'],
  namespaced: true,
  body: 'object',
  spec: fields<EndpointSliceSpec>(
    { addressType: oneOf('IPv4', 'IPv6', 'FQDN'), endpoints: listOf(endpoint), ports: listOf(slicePort) },
    { defaults: { addressType: 'IPv4' }, open: true },
  ),
})
