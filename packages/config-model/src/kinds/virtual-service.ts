import { validateVirtualService } from '../checks/virtual-service.js'
import { fields } from '../decode/fields.js'
import { int32, listOf, text, uint32 } from '../decode/value.js'
import type { Resource } from '../resource.js'
import { textMap, texts } from './common.js'
import type { Destination, HTTPRoute } from './http-route.js'
import { destination, httpRoute } from './http-route.js'
import { defineKind, type Kind } from './kind.js'

/** networking.istio.io VirtualService. */
export interface VirtualServiceSpec {
  /** Empty only for a delegate. */
  hosts: readonly string[]
  /** Absent or empty: `mesh`. */
  gateways?: readonly string[]
  http?: readonly HTTPRoute[]
  tls?: readonly TLSRoute[]
  tcp?: readonly TCPRoute[]
  /** Absent or empty: MeshConfig.defaultVirtualServiceExportTo, then `*`. */
  exportTo?: readonly string[]
}

export type VirtualService = Resource<'VirtualService', VirtualServiceSpec>

/** A destination of TLS and TCP routes. */
export interface RouteDestination {
  destination: Destination
  weight?: number
}

export interface TLSRoute {
  match?: readonly TLSMatchAttributes[]
  route?: readonly RouteDestination[]
}

export interface TLSMatchAttributes {
  sniHosts?: readonly string[]
  destinationSubnets?: readonly string[]
  port?: number
  sourceLabels?: Readonly<Record<string, string>>
  gateways?: readonly string[]
  sourceNamespace?: string
}

export interface TCPRoute {
  match?: readonly L4MatchAttributes[]
  route?: readonly RouteDestination[]
}

export interface L4MatchAttributes {
  destinationSubnets?: readonly string[]
  port?: number
  sourceSubnet?: string
  sourceLabels?: Readonly<Record<string, string>>
  gateways?: readonly string[]
  sourceNamespace?: string
}

const routeDestination = fields<RouteDestination>({ destination, weight: int32 }, { required: ['destination'] })

const tlsMatch = fields<TLSMatchAttributes>({
  sniHosts: texts,
  destinationSubnets: texts,
  port: uint32,
  sourceLabels: textMap,
  gateways: texts,
  sourceNamespace: text,
})

const l4Match = fields<L4MatchAttributes>({
  destinationSubnets: texts,
  port: uint32,
  sourceSubnet: text,
  sourceLabels: textMap,
  gateways: texts,
  sourceNamespace: text,
})

export const virtualService: Kind<VirtualService> = defineKind<VirtualService>({
  name: 'VirtualService',
  groups: ['networking.istio.io'],
  namespaced: true,
  body: 'spec',
  spec: fields<VirtualServiceSpec>(
    {
      hosts: texts,
      gateways: texts,
      http: listOf(httpRoute),
      tls: listOf(fields<TLSRoute>({ match: listOf(tlsMatch), route: listOf(routeDestination) })),
      tcp: listOf(fields<TCPRoute>({ match: listOf(l4Match), route: listOf(routeDestination) })),
      exportTo: texts,
    },
    { defaults: { hosts: [] } },
  ),
  validate: validateVirtualService,
})
