import type { AccessLogCommon } from '@heddle/xds-types/envoy/data/accesslog/v3'
import type { StreamInfo } from '../../http/stream-info.js'
import type { AccessLogEntry } from '../access-log.js'
import { wireOf } from '../operators/bytes.js'
import { TIME_POINTS, type TimePoint } from '../operators/durations.js'

type Moment =
  | `time_to_last_${'rx' | 'upstream_tx' | 'upstream_rx' | 'downstream_tx'}_byte`
  | `time_to_first_${'upstream_tx' | 'upstream_rx' | 'downstream_tx'}_byte`

const MOMENTS: Readonly<Record<Moment, TimePoint>> = {
  time_to_last_rx_byte: TIME_POINTS.DS_RX_END,
  time_to_first_upstream_tx_byte: TIME_POINTS.US_TX_BEG,
  time_to_last_upstream_tx_byte: TIME_POINTS.US_TX_END,
  time_to_first_upstream_rx_byte: TIME_POINTS.US_RX_BEG,
  time_to_last_upstream_rx_byte: TIME_POINTS.US_RX_END,
  time_to_first_downstream_tx_byte: TIME_POINTS.DS_TX_BEG,
  time_to_last_downstream_tx_byte: TIME_POINTS.DS_TX_END,
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(6)}s`

/** How long after its beginning a request had got how far; what it never got to is left out. */
export function momentsOf(info: StreamInfo): Pick<AccessLogCommon, Moment> {
  return Object.fromEntries(
    Object.entries(MOMENTS).flatMap(([name, read]) => {
      const at = read(info)
      return at === undefined ? [] : [[name, seconds(at - info.start)]]
    }),
  )
}

/** Bytes on the wire, as far as the codecs count them. */
export function wireBytesOf(
  entry: AccessLogEntry,
): Pick<AccessLogCommon, `${'down' | 'up'}stream_wire_bytes_${'sent' | 'received'}`> {
  const [downstream, upstream] = [wireOf(entry, 'downstreamWire'), wireOf(entry, 'upstreamWire')]
  return {
    ...(downstream && { downstream_wire_bytes_sent: downstream.sent, downstream_wire_bytes_received: downstream.received }),
    ...(upstream && { upstream_wire_bytes_sent: upstream.sent, upstream_wire_bytes_received: upstream.received }),
  }
}
