import type { ConnectionLimit } from '@heddle/xds-types/envoy/extensions/filters/network/connection_limit/v3'
import type { Fields } from '../../config/fields.js'
import { compileRuntimeFlag } from '../../config/runtime-flag.js'
import { CLOSE_REASON, closeFor } from '../../net/close-reason.js'
import { CONNECTION_LIMIT_LABEL } from '../../observe/labels.js'
import type { NetworkGate } from './gate.js'

/** envoy.filters.network.connection_limit: so many connections at a time; the others are closed after `delay`. */
export function compileConnectionLimit(fields: Fields<ConnectionLimit>, name: string): NetworkGate {
  const statPrefix = fields.string('stat_prefix')
  const most = fields.number('max_connections')
  const delayMs = fields.durationMs('delay', 0)
  const enabled = compileRuntimeFlag(fields.message('runtime_enabled'))
  fields.done()
  if (most < 1) fields.problem('must be 1 or more.', 'max_connections')
  return {
    name,
    create({ clock, stats }) {
      const help = "Envoy's connection_limit statistics."
      const active = stats.gauge('envoy_connection_limit_active_connections', help, [CONNECTION_LIMIT_LABEL]).labels(statPrefix)
      const limited = stats
        .counter('envoy_connection_limit_limited_connections', help, [CONNECTION_LIMIT_LABEL])
        .labels(statPrefix)
      let open = 0
      return {
        refuse(connection) {
          if (!enabled) return undefined
          if (open >= most) {
            limited.inc()
            const close = (): void => closeFor(connection, CLOSE_REASON.connectionLimit)
            if (delayMs === 0) close()
            else connection.onClosed(clock.after(delayMs, close))
            return {}
          }
          open++
          active.add(1)
          connection.onClosed(() => {
            open--
            active.add(-1)
          })
          return undefined
        },
      }
    },
  }
}
