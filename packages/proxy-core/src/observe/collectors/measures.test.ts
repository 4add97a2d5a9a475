import { expect, it } from 'vitest'
import { createHeaderMap } from '../../http/header-map.js'
import { emptyStreamInfo } from '../../http/new-stream-info.js'
import { momentsOf, wireBytesOf } from './measures.js'

const times = { start: 100, requestEnd: 102, upstreamStart: 105, upstreamFirstByte: 130.5, upstreamEnd: 140, end: 141 }

it('an entry tells when a request had got how far', () => {
  expect(momentsOf(Object.assign(emptyStreamInfo(), times))).toEqual({
    time_to_last_rx_byte: '0.002000s',
    time_to_first_upstream_tx_byte: '0.005000s',
    time_to_last_upstream_tx_byte: '0.005000s',
    time_to_first_upstream_rx_byte: '0.030500s',
    time_to_last_upstream_rx_byte: '0.040000s',
    time_to_first_downstream_tx_byte: '0.030500s',
    time_to_last_downstream_tx_byte: '0.041000s',
  })
})

it('of an answer of our own there is nothing upstream', () => {
  const moments = momentsOf(Object.assign(emptyStreamInfo(), { start: 100, end: 101 }))
  expect(Object.keys(moments).filter((name) => name.includes('upstream'))).toEqual([])
})

it('bytes are told where they were counted', () => {
  const info = Object.assign(emptyStreamInfo(), { bytesReceived: 5, bytesSent: 7 })
  const downstreamWire = { received: 50, sent: 70, headersReceived: 0, headersSent: 0, fieldsReceived: 0, fieldsSent: 0 }
  expect(wireBytesOf({ info, requestHeaders: createHeaderMap(), downstreamWire })).toEqual({
    downstream_wire_bytes_sent: 70,
    downstream_wire_bytes_received: 50,
  })
  expect(wireBytesOf({ info })).toMatchObject({ downstream_wire_bytes_received: 5, upstream_wire_bytes_sent: 5 })
})
