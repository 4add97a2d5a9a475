import type { Random } from '@heddle/runtime'
import type { LocalReply } from '../http/message.js'
import type { RouteDecision } from './decision.js'
import { requestScheme } from './redirect.js'
import type { CompiledRoute, CompiledVirtualHost, RequestHead } from './table.js'

/** Route choice within a virtual host: the first route that matches. */
export function resolveRoute(virtualHost: CompiledVirtualHost | undefined, head: RequestHead, random: Random): RouteDecision {
  if (virtualHost === undefined) return { kind: 'none' }
  if (needsTls(virtualHost, head)) return { kind: 'reply', virtualHost, reply: toHttps(head) }
  for (const route of candidateRoutes(virtualHost, head)) {
    if (!route.matches(head, random)) continue
    if (route.action.kind === 'reply') return { kind: 'reply', virtualHost, route, reply: route.action.reply(head) }
    return { kind: 'forward', virtualHost, route, target: route.action.target(head, random) }
  }
  return { kind: 'none', virtualHost }
}

/** The routes that a request may take, in the order in which they are tried. */
export function candidateRoutes(virtualHost: CompiledVirtualHost, head: RequestHead): readonly CompiledRoute[] {
  return virtualHost.routesOf === undefined ? virtualHost.routes : (virtualHost.routesOf(head) ?? [])
}

export function needsTls({ requireTls }: CompiledVirtualHost, head: RequestHead): boolean {
  if (requireTls === 'NONE' || requestScheme(head) === 'https') return false
  return requireTls === 'ALL' || head.headers.get('x-envoy-internal') !== 'true'
}

function toHttps(head: RequestHead): LocalReply {
  // The host as it came, its port too: unlike https_redirect, which drops a port 80.
  const location = `https://${head.authority}${head.path}`
  return { status: 301, body: '', details: 'direct_response', headers: [['location', location]] }
}
