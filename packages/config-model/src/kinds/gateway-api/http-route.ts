import { validateHttpRoute } from '../../checks/gateway-api/http-route.js'
import { fields } from '../../decode/fields.js'
import { type Decode, duration, int32, listOf, oneOf, text, uint32 } from '../../decode/value.js'
import type { Resource } from '../../resource.js'
import type { Duration } from '../common.js'
import { texts } from '../common.js'
import { defineKind, type Kind } from '../kind.js'
import { type RouteFilter, routeFilter } from './http-filters.js'
import { GATEWAY_API_GROUP, type ParentReference, parentReference, type WeightedBackend } from './references.js'

/** gateway.networking.k8s.io HTTPRoute. The CRD's defaults are left to whoever reads: an absent path is the prefix `/`. */
export interface HTTPRouteSpec {
  parentRefs?: readonly ParentReference[]
  /** Absent: all that the parent has. */
  hostnames?: readonly string[]
  rules?: readonly HTTPRouteRule[]
}

export type HTTPRoute = Resource<'HTTPRoute', HTTPRouteSpec>

export interface HTTPRouteRule {
  name?: string
  matches?: readonly HTTPRouteMatch[]
  filters?: readonly RouteFilter[]
  backendRefs?: readonly HTTPBackend[]
  timeouts?: { request?: Duration; backendRequest?: Duration }
  retry?: HTTPRouteRetry
  sessionPersistence?: SessionPersistence
}

export interface HTTPRouteMatch {
  /** `type` is PathPrefix (the default), Exact or RegularExpression. */
  path?: { type?: 'PathPrefix' | 'Exact' | 'RegularExpression'; value?: string }
  headers?: readonly NamedMatch[]
  queryParams?: readonly NamedMatch[]
  method?: string
}

export interface NamedMatch {
  /** Default Exact. */
  type?: 'Exact' | 'RegularExpression'
  name: string
  value: string
}

export interface HTTPBackend extends WeightedBackend {
  filters?: readonly RouteFilter[]
}

export interface HTTPRouteRetry {
  codes?: readonly number[]
  attempts?: number
  backoff?: Duration
}

export interface SessionPersistence {
  sessionName?: string
  /** Default Cookie. */
  type?: 'Cookie' | 'Header'
  absoluteTimeout?: Duration
  idleTimeout?: Duration
  cookieConfig?: { lifetimeType?: 'Permanent' | 'Session' }
}

const namedMatches = listOf(
  fields<NamedMatch>(
    { type: oneOf('Exact', 'RegularExpression'), name: text, value: text },
    { required: ['name', 'value'], open: true },
  ),
)

const match = fields<HTTPRouteMatch>(
  {
    path: fields<NonNullable<HTTPRouteMatch['path']>>(
      { type: oneOf('PathPrefix', 'Exact', 'RegularExpression'), value: text },
      { open: true },
    ),
    headers: namedMatches,
    queryParams: namedMatches,
    method: text,
  },
  { open: true },
)

export const httpBackend: Decode<HTTPBackend> = fields<HTTPBackend>(
  { group: text, kind: text, name: text, namespace: text, port: uint32, weight: int32, filters: listOf(routeFilter) },
  { required: ['name'], open: true },
)

const rule = fields<HTTPRouteRule>(
  {
    name: text,
    matches: listOf(match),
    filters: listOf(routeFilter),
    backendRefs: listOf(httpBackend),
    timeouts: fields<NonNullable<HTTPRouteRule['timeouts']>>({ request: duration, backendRequest: duration }, { open: true }),
    retry: fields<HTTPRouteRetry>({ codes: listOf(int32), attempts: int32, backoff: duration }, { open: true }),
    sessionPersistence: fields<SessionPersistence>(
      {
        sessionName: text,
        type: oneOf('Cookie', 'Header'),
        absoluteTimeout: duration,
        idleTimeout: duration,
        cookieConfig: fields<NonNullable<SessionPersistence['cookieConfig']>>(
          { lifetimeType: oneOf('Permanent', 'Session') },
          { open: true },
        ),
      },
      { open: true },
    ),
  },
  { open: true },
)

export const httpRouteKind: Kind<HTTPRoute> = defineKind<HTTPRoute>({
  name: 'HTTPRoute',
  groups: [GATEWAY_API_GROUP],
  namespaced: true,
  body: 'spec',
  spec: fields<HTTPRouteSpec>({ parentRefs: listOf(parentReference), hostnames: texts, rules: listOf(rule) }, { open: true }),
  validate: validateHttpRoute,
})
