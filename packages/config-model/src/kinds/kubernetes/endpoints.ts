import { fields } from '../../decode/fields.js'
import { listOf, text } from '../../decode/value.js'
import type { Resource } from '../../resource.js'
import { defineKind, type Kind } from '../kind.js'
import type { ObjectReference, SlicePort } from './endpoint-slice.js'
import { objectReference, slicePort } from './endpoint-slice.js'

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

const address = fields<EndpointAddress>(
  { ip: text, hostname: text, nodeName: text, targetRef: objectReference },
  { required: ['ip'], open: true },
)

export const endpoints: Kind<Endpoints> = defineKind<Endpoints>({
  name: 'Endpoints',
  groups: [''],
  namespaced: true,
  body: 'object',
  spec: fields<EndpointsSpec>(
    {
      subsets: listOf(
        fields<EndpointSubset>(
          { addresses: listOf(address), notReadyAddresses: listOf(address), ports: listOf(slicePort) },
          { open: true },
        ),
      ),
    },
    { open: true },
  ),
})
