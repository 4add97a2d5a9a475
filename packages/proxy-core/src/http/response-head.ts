import { setJoined } from './identity.js'
import type { ManagerRuntime } from './manager.js'
import type { HttpRequest, HttpResponse } from './message.js'

/** What the connection manager writes into the head of every response, after all filters: date, server, via, x-request-id. */
export function finishResponseHead(
  { headers }: HttpResponse,
  request: HttpRequest,
  requestId: string | undefined,
  { manager, date }: Pick<ManagerRuntime, 'manager' | 'date'>,
): void {
  if (!headers.has('date')) headers.appendLower('date', date())
  if (manager.serverHeader === 'OVERWRITE' || (manager.serverHeader === 'APPEND_IF_ABSENT' && !headers.has('server')))
    headers.set('server', manager.serverName)
  if (manager.via !== '') setJoined(headers, 'via', manager.via, ', ')
  const tellsId = manager.alwaysSetRequestIdInResponse || request.headers.has('x-envoy-force-trace')
  if (tellsId && requestId !== undefined) headers.set('x-request-id', requestId)
}
