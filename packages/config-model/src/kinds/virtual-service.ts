import type { Resource } from '../resource.js'
import type { Destination, HTTPRoute } from './http-route.js'

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
