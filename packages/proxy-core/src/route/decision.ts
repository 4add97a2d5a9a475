import type { LocalReply } from '../http/message.js'
import type { CompiledRoute, CompiledVirtualHost, RouteTarget } from './table.js'

/** What a request meets in a route table. Pure: the same request, table and chance give the same decision. */
export type RouteDecision =
  | {
      readonly kind: 'forward'
      readonly virtualHost: CompiledVirtualHost
      readonly route: CompiledRoute
      /** The cluster, after weights, cluster_header and the dice. */
      readonly target: RouteTarget
    }
  | {
      readonly kind: 'reply'
      readonly virtualHost: CompiledVirtualHost
      readonly route?: CompiledRoute
      readonly reply: LocalReply
    }
  /** `NR` 404 `route_not_found`; without virtualHost no domain fitted. */
  | { readonly kind: 'none'; readonly virtualHost?: CompiledVirtualHost }
