import type { Config } from '@heddle/xds-types/envoy/extensions/filters/network/direct_response/v3'
import { compileBinaryData, compileDataSource, type DataSourceReads } from '../../config/data-source.js'
import type { Fields } from '../../config/fields.js'
import type { Connection, ConnectionHandler } from '../../net/connection.js'
import type { Served, Terminal } from '../../net/terminal.js'
import type { Timers } from '../../net/timers.js'

/** envoy.filters.network.direct_response: every client is told the same, and goodbye. */
export interface DirectResponse {
  readonly kind: 'direct_response'
  /** Where it stands in its filter chain. */
  readonly path: string
  readonly statPrefix: string
  readonly response: Uint8Array
}

export function compileDirectResponse(fields: Fields<Config>, reads: DataSourceReads): DirectResponse {
  const source = fields.message('response')
  const text = compileDataSource(source, reads) ?? ''
  const response = compileBinaryData(source) ?? new TextEncoder().encode(text)
  fields.done()
  return {
    kind: 'direct_response',
    path: fields.path.slice(fields.path.lastIndexOf('filters[')),
    statPrefix: 'direct_response',
    response,
  }
}

/** For whom does not close his side, once he has been told. */
const LINGER_MS = 1_000

export function createDirectResponse({ response }: DirectResponse, timers: Timers): Terminal {
  const open = new Set<Connection>()
  return {
    serve(connection): Served {
      open.add(connection)
      const linger = timers.timer(() => connection.destroy())
      connection.onClosed(() => {
        linger.stop()
        open.delete(connection)
      })
      connection.handle(deaf(connection))
      if (response.length > 0) connection.write(response)
      connection.end()
      connection.resume()
      linger.start(LINGER_MS)
      return { retire() {} }
    },
    adopt: () => false,
    get connections() {
      return open.size
    },
    drain() {},
    destroy() {
      for (const connection of open) connection.destroy()
    },
  }
}

/** What the client says is of no interest. */
function deaf(connection: Connection): ConnectionHandler {
  return { onData() {}, onEnd: () => connection.end(), onDrain() {}, onClose() {} }
}
