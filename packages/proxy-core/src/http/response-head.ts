import { setJoined } from './identity.js'
import type { ManagerRuntime } from './manager.js'
import type { HttpRequest, HttpResponse } from './message.js'
import { applyProxyStatus, type ProxyStatusConfig } from './proxy-status.js'
import type { StreamInfo } from './stream-info.js'

/** What the connection manager writes into the head of every response, after all filters: date, server, via, x-request-id. */
export function finishResponseHead(
  response: HttpResponse,
  request: HttpRequest,
  info: StreamInfo,
  { manager, node, date }: Pick<ManagerRuntime, 'manager' | 'node' | 'date'>,
): void {
  const { headers } = response
  const { requestId } = info
  if (!headers.has('date')) headers.appendLower('date', date())
  if (manager.serverHeader === 'OVERWRITE' || (manager.serverHeader === 'APPEND_IF_ABSENT' && !headers.has('server')))
    headers.set('server', manager.serverName)
  if (manager.via !== '') setJoined(headers, 'via', manager.via, ', ')
  const tellsId = manager.alwaysSetRequestIdInResponse || request.headers.has('x-envoy-force-trace')
  if (tellsId && requestId !== undefined) headers.set('x-request-id', requestId)
  const { proxyStatus } = manager
  if (proxyStatus !== undefined) applyProxyStatus(response, info, proxyStatus, nameOf(proxyStatus, manager.serverName, node.id))
}

function nameOf({ name }: ProxyStatusConfig, serverName: string, nodeId: string): string {
  if (name === undefined) return serverName
  return 'literal' in name ? name.literal : nodeId
}
