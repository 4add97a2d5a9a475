import type { Clock } from '@heddle/runtime'
import type { CompiledListener } from '../config/compiled.js'
import type { ConnectionFacts } from '../filters/listener/facts.js'
import { createConnectionInfo, streamOrigin } from '../http/new-stream-info.js'
import type { StreamInfo } from '../http/stream-info.js'
import type { Connection } from '../net/connection.js'
import type { Served } from '../net/terminal.js'

/** Why a connection was not served. */
export interface Unserved {
  /** A response flag. */
  readonly flag?: string
  /** RESPONSE_CODE_DETAILS. */
  readonly details?: string
  /** DOWNSTREAM_TRANSPORT_FAILURE_REASON. */
  readonly transportFailure?: string
}

/** Envoy's listener.access_log: one line a connection, when it is over, whatever it carried. */
export interface ListenerLog {
  served(connection: Connection, facts: ConnectionFacts, served: Served): void
  unserved(connection: Connection, facts: ConnectionFacts, why: Unserved): void
}

/** Undefined: the listener has no access logs. */
export function createListenerLog({ accessLogs }: CompiledListener, clock: Clock): ListenerLog | undefined {
  if (accessLogs.length === 0) return undefined
  const storyOf = (connection: Connection, facts: ConnectionFacts): StreamInfo =>
    createConnectionInfo(connection, { ...streamOrigin(connection), sni: facts.serverName }, clock)
  const write = (info: StreamInfo, connection: Connection): void => {
    info.end = clock.monotonic()
    info.bytesReceived = connection.bytesReceived
    info.bytesSent = connection.bytesSent
    for (const log of accessLogs) log.log({ info, connection, type: 'NotSet' })
  }
  return {
    served(connection, facts, served) {
      const own = served.story === undefined ? storyOf(connection, facts) : undefined
      connection.onClosed(() => {
        const info = own ?? served.story?.() ?? storyOf(connection, facts)
        write(info, connection)
      })
    },
    unserved(connection, facts, { flag, details, transportFailure }) {
      const info = storyOf(connection, facts)
      if (flag !== undefined) info.flags.add(flag)
      info.details = details ?? ''
      info.downstreamTransportFailureReason = transportFailure
      write(info, connection)
    },
  }
}
