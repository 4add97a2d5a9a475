import type { MeshService } from '@heddle/config-model'
import type { Build } from '../build.js'
import { type TypedMessage, typed } from '../message.js'

export const SESSION_FILTER = 'envoy.filters.http.stateful_session'

const SESSIONS = 'envoy.extensions.filters.http.stateful_session.v3'
const STATES = 'envoy.extensions.http.stateful_session'

/** Whether a client stays with the endpoint that it had, by a cookie or a header: a label of the Service, where istiod's switch is on. */
export function keepsSessions({ features }: Build, service: MeshService | undefined): boolean {
  if (service === undefined || !features.persistentSessions) return false
  return Boolean(service.labels[features.sessionCookieLabel] || service.labels[features.sessionHeaderLabel])
}

/** What a route to the service says, by filter name; nothing where sessions are not kept. */
export function sessionConfig(build: Build, service: MeshService | undefined): Readonly<Record<string, TypedMessage>> {
  const state = service === undefined || !keepsSessions(build, service) ? undefined : stateOf(build, service)
  if (state === undefined) return {}
  return { [SESSION_FILTER]: typed(`${SESSIONS}.StatefulSessionPerRoute`, { stateful_session: { session_state: state } }) }
}

/** Does nothing but where a route says more. */
export const SESSION_HTTP_FILTER: { readonly name: string; readonly typed_config: TypedMessage } = {
  name: SESSION_FILTER,
  typed_config: typed(`${SESSIONS}.StatefulSession`),
}

/** A cookie without a lifetime ends with the browser's session. Its path may follow its name: `cookie:/path`. */
function stateOf({ features }: Build, { labels }: MeshService): object {
  const cookie = labels[features.sessionCookieLabel] ?? ''
  if (cookie !== '') {
    const colon = cookie.indexOf(':')
    const [name, path] = colon < 0 ? [cookie, '/'] : [cookie.slice(0, colon), cookie.slice(colon + 1)]
    const typed_config = typed(`${STATES}.cookie.v3.CookieBasedSessionState`, { cookie: { name, path } })
    return { name: 'envoy.http.stateful_session.cookie', typed_config }
  }
  const typed_config = typed(`${STATES}.header.v3.HeaderBasedSessionState`, { name: labels[features.sessionHeaderLabel] })
  return { name: 'envoy.http.stateful_session.header', typed_config }
}
