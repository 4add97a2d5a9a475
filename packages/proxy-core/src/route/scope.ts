import type { RequestHead, RouteTable } from './table.js'

/** A ScopedRouteConfiguration, compiled: its own routes, or the name by which RDS knows them. */
export interface RouteScope {
  readonly name: string
  /** See {@link scopeKey}. */
  readonly key: string
  readonly routes: { readonly kind: 'inline'; readonly table: RouteTable } | { readonly kind: 'rds'; readonly name: string }
  /** Its routes are asked for when a request comes for them. */
  readonly onDemand: boolean
}

/** By key. */
export type RouteScopes = ReadonlyMap<string, RouteScope>

export const NO_SCOPES: RouteScopes = new Map()

/** scoped_routes of an HTTP manager. */
export interface ScopedRouting {
  /** Names it in statistics and dumps. */
  readonly name: string
  /** The key that a request's headers make; undefined: they make none. */
  keyOf(head: RequestHead): string | undefined
  /** scoped_route_configurations_list; absent: they come by SRDS. */
  readonly scopes?: RouteScopes
}

/** The fragments of a key as one text. */
export function scopeKey(fragments: readonly string[]): string {
  return fragments.map((fragment) => JSON.stringify(fragment)).join()
}

/** The scope that a request is in. `discovered`: those of SRDS. */
export function scopeOf({ keyOf, scopes }: ScopedRouting, head: RequestHead, discovered: RouteScopes): RouteScope | undefined {
  const key = keyOf(head)
  return key === undefined ? undefined : (scopes ?? discovered).get(key)
}

/** The routes of a scope; `byName`: those of RDS. Undefined: not there yet. */
export function tableOfScope(
  scope: RouteScope | undefined,
  byName: (name: string) => RouteTable | undefined,
): RouteTable | undefined {
  if (scope === undefined) return undefined
  return scope.routes.kind === 'inline' ? scope.routes.table : byName(scope.routes.name)
}
