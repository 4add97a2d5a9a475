import { DeltaDiscoveryRequest } from '@heddle/xds-types/envoy/service/discovery/v3'
import { describe, expect, test } from 'vitest'
import { readDeltaAck } from './delta-ack.js'
import { DELTA_CODEC } from './wire.js'

const EDS = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment'
const LDS = 'type.googleapis.com/envoy.config.listener.v3.Listener'
const encode = (request: DeltaDiscoveryRequest): Uint8Array => DeltaDiscoveryRequest.encode(request)

test.each([
  ['an ACK', encode({ type_url: EDS, response_nonce: 'run.1-1' })],
  ['the next one', encode({ type_url: EDS, response_nonce: 'run.1-2' })],
  ['of another type', encode({ type_url: LDS, response_nonce: 'run.1-3' })],
  ['of a type whose URL is as long', encode({ type_url: `${LDS.slice(0, -1)}X`, response_nonce: 'run.1-4' })],
  ['of a per-type stream', encode({ response_nonce: 'run.1-5' })],
  ['with a long nonce', encode({ type_url: EDS, response_nonce: 'n'.repeat(127) })],
  ['with its fields in another order', Buffer.concat([encode({ response_nonce: '7' }), encode({ type_url: EDS })])],
  ['with a field twice: the last one counts', Buffer.concat([encode({ response_nonce: '7' }), encode({ response_nonce: '8' })])],
])('%s is read as the codec reads it', (_, bytes) => {
  const slow = DeltaDiscoveryRequest.decode(bytes)
  expect(slow.ok && readDeltaAck(bytes)).toEqual({
    typeUrl: slow.ok ? (slow.value.type_url ?? '') : undefined,
    responseNonce: slow.ok ? slow.value.response_nonce : undefined,
    subscribe: [],
    unsubscribe: [],
    initialResourceVersions: new Map(),
  })
})

describe('what is more than an ACK, or less, is left to the codec', () => {
  const ack = { type_url: EDS, response_nonce: '1' }
  test.each([
    ['a NACK', encode({ ...ack, error_detail: { code: 3, message: 'no' } })],
    ['a subscription', encode({ ...ack, resource_names_subscribe: ['a'] })],
    ['an unsubscription', encode({ ...ack, resource_names_unsubscribe: ['a'] })],
    ['a node', encode({ ...ack, node: { id: 'n' } })],
    ['what the client has', encode({ ...ack, initial_resource_versions: { a: '1' } })],
    ['a locator', encode({ ...ack, resource_locators_subscribe: [{ name: 'a' }] })],
    ['no nonce', encode({ type_url: EDS })],
    ['an empty nonce', Buffer.from([0x32, 0])],
    ['a long name', encode({ ...ack, type_url: 'x'.repeat(200) })],
    ['no ASCII', encode({ ...ack, type_url: 'é' })],
    ['bytes that end midway', encode(ack).slice(0, -1)],
    ['bytes that end after a tag', Buffer.from([0x32])],
    ['nothing', Buffer.alloc(0)],
    ['another wire type', Buffer.from([0x30, 1])],
  ])('%s', (_, bytes) => {
    expect(readDeltaAck(bytes)).toBeUndefined()
    expect(DELTA_CODEC.read(bytes).ok).toBe(DeltaDiscoveryRequest.decode(bytes).ok)
  })
})
