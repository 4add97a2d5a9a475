import { silentLogger } from '@heddle/runtime'
import { createFakeClock, createSeededRandom } from '@heddle/runtime/testing'
import { DiscoveryRequest, DiscoveryResponse } from '@heddle/xds-types/envoy/service/discovery/v3'
import { knownTypes } from '@heddle/xds-types/known'
import { expect, test } from 'vitest'
import { createAgentSecrets } from './agent-secrets.js'
import type { StreamEvents } from './transport.js'

function agent() {
  const clock = createFakeClock()
  const streams: { events: StreamEvents; sent: DiscoveryRequest[] }[] = []
  const secrets = createAgentSecrets({
    transport: {
      target: 'unix:///sds',
      open(_method, events) {
        const sent: DiscoveryRequest[] = []
        streams.push({ events, sent })
        const send = (bytes: Uint8Array): void => {
          const request = DiscoveryRequest.decode(bytes)
          if (request.ok) sent.push(request.value)
        }
        return { send, close: () => {} }
      },
      close: () => {},
    },
    node: { id: 'a' },
    ...{ clock, random: createSeededRandom(1), logger: silentLogger },
  })
  const push = (...names: string[]): void => {
    const resources = names.map((name) => ({
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
      name,
      ...(name === 'ROOTCA'
        ? { validation_context: { trusted_ca: { inline_string: 'ROOT' } } }
        : { tls_certificate: { certificate_chain: { inline_string: 'CHAIN' }, private_key: { inline_string: 'KEY' } } }),
    }))
    streams.at(-1)?.events.onMessage(DiscoveryResponse.encode({ version_info: '1', nonce: 'n1', resources }, knownTypes))
  }
  return { clock, secrets, streams, push }
}

test('both secrets come, and are acknowledged', () => {
  const { secrets, streams, push } = agent()
  expect(streams[0]?.sent[0]).toMatchObject({ node: { id: 'a' }, resource_names: ['default', 'ROOTCA'] })
  push('default', 'ROOTCA')
  expect(secrets.watch('default').current).toEqual({ name: 'default', certificateChain: 'CHAIN', privateKey: 'KEY' })
  expect(secrets.watch('ROOTCA').current?.trustBundle).toBe('ROOT')
  expect(streams[0]?.sent[1]).toMatchObject({ version_info: '1', response_nonce: 'n1' })
  expect([secrets.owns?.('default'), secrets.owns?.('kubernetes://cert')]).toEqual([true, false])
})

test('the agent goes and comes back: what it sent stays meanwhile', () => {
  const { clock, secrets, streams, push } = agent()
  push('default')
  streams[0]?.events.onClose('14 UNAVAILABLE')
  expect(secrets.watch('default').current?.privateKey).toBe('KEY')
  clock.advance(500)
  expect(streams).toHaveLength(2)
  secrets.close()
  streams[1]?.events.onClose('closed')
  clock.advance(60_000)
  expect(streams).toHaveLength(2)
})
