import { fields } from '../../decode/fields.js'
import { listOf, text } from '../../decode/value.js'
import type { Resource } from '../../resource.js'
import { texts } from '../common.js'
import { defineKind, type Kind } from '../kind.js'
import { GATEWAY_API_GROUP, type ParentReference, parentReference, type WeightedBackend, weightedBackend } from './references.js'

/** gateway.networking.k8s.io TCPRoute. */
export interface TCPRouteSpec {
  parentRefs?: readonly ParentReference[]
  rules?: readonly L4RouteRule[]
}

/** gateway.networking.k8s.io TLSRoute: TCP by the name that the client's TLS handshake asks for. */
export interface TLSRouteSpec extends TCPRouteSpec {
  hostnames?: readonly string[]
}

export interface L4RouteRule {
  name?: string
  backendRefs?: readonly WeightedBackend[]
}

export type TCPRoute = Resource<'TCPRoute', TCPRouteSpec>
export type TLSRoute = Resource<'TLSRoute', TLSRouteSpec>

const rules = listOf(fields<L4RouteRule>({ name: text, backendRefs: listOf(weightedBackend) }, { open: true }))

export const tcpRoute: Kind<TCPRoute> = defineKind<TCPRoute>({
  name: 'TCPRoute',
  groups: [GATEWAY_API_GROUP],
  namespaced: true,
  body: 'spec',
  spec: fields<TCPRouteSpec>({ parentRefs: listOf(parentReference), rules }, { open: true }),
})

export const tlsRoute: Kind<TLSRoute> = defineKind<TLSRoute>({
  name: 'TLSRoute',
  groups: [GATEWAY_API_GROUP],
  namespaced: true,
  body: 'spec',
  spec: fields<TLSRouteSpec>({ parentRefs: listOf(parentReference), hostnames: texts, rules }, { open: true }),
})
