import type { HeaderMap } from '../http/header-map.js'
import type { HttpRequest } from '../http/message.js'
import type { AccessLogEntry } from '../observe/access-log.js'
import type { RouteDecision } from './decision.js'
import type { HeaderMutation } from './header-mutation.js'
import type { RouteTable, RouteTarget } from './table.js'

/**
 * What a route does to a request before it leaves: header mutations of every level, then host and path rewrites
 * (Envoy's finalizeRequestHeaders). Call it once, after the filters, before the first attempt.
 */
export function finalizeRequest(decision: RouteDecision, table: RouteTable, request: HttpRequest, entry: AccessLogEntry): void {
  if (decision.kind !== 'forward') return
  applyLevels(decision, table, ofRequests, request.headers, entry)
  if (decision.route.action.kind === 'forward') decision.route.action.rewrite(request, decision.target, entry)
}

/** The same for a response, of upstreams and of direct responses alike. Nothing applies where no route was found. */
export function finalizeResponse(decision: RouteDecision, table: RouteTable, headers: HeaderMap, entry: AccessLogEntry): void {
  applyLevels(decision, table, ofResponses, headers, entry)
}

// Recorded from Envoy: weighted cluster, route, virtual host, route config; with most_specific_header_mutations_wins
// weighted cluster, route config, virtual host, route. Appends stay either way, the last overwrite wins.
function applyLevels(
  decision: RouteDecision,
  table: RouteTable,
  of: (level: HeaderLevel) => HeaderMutation | undefined,
  headers: HeaderMap,
  entry: AccessLogEntry,
): void {
  if (decision.kind === 'none') return
  const { virtualHost, route } = decision
  if (decision.kind === 'forward') of(decision.target)?.apply(headers, entry)
  if (table.mostSpecificHeaderMutationsWins) {
    of(table)?.apply(headers, entry)
    of(virtualHost)?.apply(headers, entry)
    if (route !== undefined) of(route)?.apply(headers, entry)
  } else {
    if (route !== undefined) of(route)?.apply(headers, entry)
    of(virtualHost)?.apply(headers, entry)
    of(table)?.apply(headers, entry)
  }
}

type HeaderLevel = Pick<RouteTarget, 'requestHeaders' | 'responseHeaders'>

const ofRequests = (level: HeaderLevel): HeaderMutation | undefined => level.requestHeaders
const ofResponses = (level: HeaderLevel): HeaderMutation | undefined => level.responseHeaders
