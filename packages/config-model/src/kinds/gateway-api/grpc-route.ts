import { fields } from '../../decode/fields.js'
import { listOf, oneOf, text } from '../../decode/value.js'
import type { Resource } from '../../resource.js'
import { texts } from '../common.js'
import { defineKind, type Kind } from '../kind.js'
import { type RouteFilter, routeFilter } from './http-filters.js'
import { type HTTPBackend, httpBackend, type NamedMatch } from './http-route.js'
import { GATEWAY_API_GROUP, type ParentReference, parentReference } from './references.js'

/** gateway.networking.k8s.io GRPCRoute. */
export interface GRPCRouteSpec {
  parentRefs?: readonly ParentReference[]
  hostnames?: readonly string[]
  rules?: readonly GRPCRouteRule[]
}

export type GRPCRoute = Resource<'GRPCRoute', GRPCRouteSpec>

export interface GRPCRouteRule {
  name?: string
  matches?: readonly GRPCRouteMatch[]
  filters?: readonly RouteFilter[]
  backendRefs?: readonly HTTPBackend[]
}

export interface GRPCRouteMatch {
  /** At least one of service and method. */
  method?: { type?: 'Exact' | 'RegularExpression'; service?: string; method?: string }
  headers?: readonly NamedMatch[]
}

const matchType = oneOf('Exact', 'RegularExpression')

const rule = fields<GRPCRouteRule>(
  {
    name: text,
    matches: listOf(
      fields<GRPCRouteMatch>(
        {
          method: fields<NonNullable<GRPCRouteMatch['method']>>({ type: matchType, service: text, method: text }, { open: true }),
          headers: listOf(
            fields<NamedMatch>({ type: matchType, name: text, value: text }, { required: ['name', 'value'], open: true }),
          ),
        },
        { open: true },
      ),
    ),
    filters: listOf(routeFilter),
    backendRefs: listOf(httpBackend),
  },
  { open: true },
)

export const grpcRoute: Kind<GRPCRoute> = defineKind<GRPCRoute>({
  name: 'GRPCRoute',
  groups: [GATEWAY_API_GROUP],
  namespaced: true,
  body: 'spec',
  spec: fields<GRPCRouteSpec>({ parentRefs: listOf(parentReference), hostnames: texts, rules: listOf(rule) }, { open: true }),
})
