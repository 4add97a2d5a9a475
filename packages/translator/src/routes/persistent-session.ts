import type { MeshService } from '@heddle/config-model'
import type { Build } from '../build.js'
import { type TypedMessage, typed } from '../message.js'

export const SESSION_FILTER = 'envoy.filters.http.stateful_session'

const SESSIONS = 'envoy.extensions.filters.http.stateful_session.v3'
const STATES = 'envoy.extensions.http.stateful_session'

/** Whether a client should stay with the endpoint that it had, by a cookie or a header: a label of the Service. Its clusters follow it with or without istiod's switch. */
export function asksForSessions({ features }: Build, { labels }: MeshService): boolean {
  return Boolean(labels[features.sessionCookieLabel] || labels[features.sessionHeaderLabel])
}

/** Whether endpoints that are about to end are kept for those who have a session there: only where a cookie tells. */
export function keepsDraining({ features }: Build, { labels }: MeshService): boolean {
  return Boolean(labels[features.sessionCookieLabel])
}

/** What a route to the service says, by filter name; nothing where sessions are not kept. */
export function sessionConfig(build: Build, service: MeshService | undefined): Readonly<Record<string, TypedMessage>> {
  if (service === undefined || !build.features.persistentSessions || !asksForSessions(build, service)) return {}
  const state = stateOf(build, service)
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
