import type { Address } from '@heddle/xds-types/envoy/config/core/v3'
import type { StatsdSink, StatsSink as StatsSinkProto } from '@heddle/xds-types/envoy/config/metrics/v3'
import type { SocketAddress } from '../net/connection.js'
import { type Fields, fieldsOf } from './fields.js'

/** A statsd server that is told over UDP. */
export interface StatsdTarget {
  readonly address: SocketAddress
  readonly prefix: string
}

const STATSD = 'envoy.config.metrics.v3.StatsdSink'

/** envoy.config.metrics.v3.StatsSink: statsd over UDP. */
export function compileStatsSink(fields: Fields<StatsSinkProto>): StatsdTarget | undefined {
  const config = fields.any('typed_config')
  fields.done({ name: 'the type of the configuration tells the sink' })
  if (config?.typeName !== STATSD) {
    fields.problem(`${config?.typeName ?? 'nothing'} is not supported: ${STATSD} is.`, 'typed_config')
    return undefined
  }
  const statsd = fieldsOf<StatsdSink>(config, fields as unknown as Fields<never>)
  const address = statsd.message('address')
  if (address === undefined) statsd.problem('needs address: counters go over UDP.')
  const target = { address: udpAddress(address as Fields<Address> | undefined), prefix: statsd.string('prefix') }
  statsd.done()
  return target
}

function udpAddress(fields: Fields<Address> | undefined): SocketAddress {
  const socket = fields?.message('socket_address')
  if (fields !== undefined && socket === undefined) fields.problem('needs socket_address.')
  socket?.choice('protocol', ['TCP', 'UDP'], 'TCP')
  const address = { address: socket?.string('address') ?? '', port: socket?.number('port_value') ?? 0 }
  socket?.done({ ipv4_compat: 'the system decides' })
  fields?.done()
  return address
}
