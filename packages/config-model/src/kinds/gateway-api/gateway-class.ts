import { fields } from '../../decode/fields.js'
import { text } from '../../decode/value.js'
import type { Resource } from '../../resource.js'
import { defineKind, type Kind } from '../kind.js'
import { GATEWAY_API_GROUP } from './references.js'

/** gateway.networking.k8s.io GatewayClass: which controller serves its Gateways. */
export interface GatewayClassSpec {
  controllerName: string
}

export type GatewayClass = Resource<'GatewayClass', GatewayClassSpec>

export const gatewayClass: Kind<GatewayClass> = defineKind<GatewayClass>({
  name: 'GatewayClass',
  groups: [GATEWAY_API_GROUP],
  namespaced: false,
  body: 'spec',
  spec: fields<GatewayClassSpec>({ controllerName: text }, { required: ['controllerName'], open: true }),
})
