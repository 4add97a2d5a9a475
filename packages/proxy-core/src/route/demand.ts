import { asciiLower } from '../matcher/ascii.js'
import { type RouteScope, type RouteScopes, type ScopedRouting, scopeOf } from './scope.js'
import type { RequestHead, RouteTable } from './table.js'

/** Asks a management server for routes as requests come. Undefined: it has been asked, and there is nothing to wait for. */
export interface RouteDemand {
  /** A host of a table with vhds. */
  virtualHost(table: string, host: string): Promise<void> | undefined
  /** A cluster. */
  cluster(name: string): Promise<void> | undefined
  /** The routes of a scope. */
  scope(scope: RouteScope): Promise<void> | undefined
}

/** Where the routes of an HTTP manager come from. */
export interface RouteOrigin {
  readonly scoped: ScopedRouting | undefined
  /** Of SRDS. */
  readonly scopes: RouteScopes
  readonly table: RouteTable | undefined
}

/** Asks for what the request lacks to have a route (envoy.filters.http.on_demand). Undefined: nothing more can be had. */
export function demandRoute(origin: RouteOrigin, head: RequestHead, demand: RouteDemand): Promise<void> | undefined {
  const { scoped, scopes, table } = origin
  if (table?.vhds === true) return demand.virtualHost(table.name, asciiLower(head.authority))
  const scope = scoped && scopeOf(scoped, head, scopes)
  return scope === undefined || table !== undefined ? undefined : demand.scope(scope)
}
