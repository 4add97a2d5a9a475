import { writtenOnce } from '@heddle/xds-types'
import type { TransportSocket } from '@heddle/xds-types/envoy/config/core/v3'
import { typed } from '../message.js'

/** Plain text. */
export const RAW_BUFFER: TransportSocket = writtenOnce({
  name: 'envoy.transport_sockets.raw_buffer',
  typed_config: typed('envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer'),
})
