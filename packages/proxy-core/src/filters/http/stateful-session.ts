import type { Clock, Result } from '@heddle/runtime'
import type {
  StatefulSession,
  StatefulSessionPerRoute,
} from '@heddle/xds-types/envoy/extensions/filters/http/stateful_session/v3'
import { compileMessage, type Fields } from '../../config/fields.js'
import type { HttpFilter, HttpFilterFactory, HttpStream } from '../../http/filter.js'
import { formatAddress } from '../../net/address.js'
import { compileSessionState, type SessionState } from './session-state.js'

interface Session {
  /** Undefined: the filter does nothing. */
  readonly state: SessionState | undefined
  readonly strict: boolean
}

const TYPE = 'envoy.extensions.filters.http.stateful_session.v3'

/** envoy.filters.http.stateful_session: a client that was told its endpoint goes there again, while it is there and healthy enough. */
export const statefulSessionFilter: HttpFilterFactory<Session> = {
  typeNames: [`${TYPE}.StatefulSession`],
  perRouteTypeNames: [`${TYPE}.StatefulSessionPerRoute`],
  decode: (config, path): Result<Session> => compileMessage(config as StatefulSession, path, compileSession),
  decodePerRoute: (config, path): Result<unknown> =>
    compileMessage(config as StatefulSessionPerRoute, path, (fields): Session => {
      const disabled = fields.boolean('disabled')
      const own = fields.message('stateful_session')
      fields.done()
      return own === undefined || disabled ? { state: undefined, strict: false } : compileSession(own)
    }),
  create(config, { clock }, name) {
    return (stream) => {
      const { state, strict } = (stream.perRouteConfig(name) as Session | undefined) ?? config
      return state?.applies(stream.request) === true ? sessionOf(state, strict, stream, clock) : {}
    }
  },
}

function compileSession(fields: Fields<StatefulSession>): Session {
  const extension = fields.message('session_state')
  const config = extension?.any('typed_config')
  extension?.done({ name: 'the type decides' })
  const session: Session = {
    state: config && compileSessionState(config, fields as Fields<never>),
    strict: fields.boolean('strict'),
  }
  fields.done({ stat_prefix: 'names statistics that are not kept' })
  return session
}

function sessionOf(state: SessionState, strict: boolean, { info }: HttpStream, clock: Clock): HttpFilter {
  let known: string | undefined
  return {
    onRequest(request) {
      known = state.read(request, clock.now())
      if (known !== undefined) info.overrideHost = { address: known, strict }
    },
    onResponse(response) {
      const address = info.endpoint && formatAddress(info.endpoint.address)
      if (address !== undefined && address !== known) state.write(response, address, clock.now())
    },
  }
}
