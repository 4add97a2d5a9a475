import { SESSION_HTTP_FILTER } from '../routes/persistent-session.js'
import type { HttpFeature } from './feature.js'

/** Keeps a client with its endpoint where a route asks for it. */
export const persistentSession: HttpFeature = {
  name: 'persistent-session',
  filters: ({ build, listener }) => (listener !== 'inbound' && build.features.persistentSessions ? [SESSION_HTTP_FILTER] : []),
}
