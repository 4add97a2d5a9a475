import { silentLogger } from '@heddle/runtime'
import { createFakeClock, createSeededRandom } from '@heddle/runtime/testing'
import { DiscoveryRequest, DiscoveryResponse } from '@heddle/xds-types/envoy/service/discovery/v3'
import { knownTypes } from '@heddle/xds-types/known'
import { expect, test } from 'vitest'
import { OTHER_CHAIN, OWN_CHAIN, OWN_KEY } from '../testing-certificates.js'
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
  const send = (version_info: string, nonce: string, secrets: readonly object[]): void => {
    const resources = secrets.map((secret) => ({
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
      ...secret,
    }))
    streams.at(-1)?.events.onMessage(DiscoveryResponse.encode({ version_info, nonce, resources }, knownTypes))
  }
  const push = (...names: string[]): void => {
    const certificate = { certificate_chain: { inline_string: OWN_CHAIN }, private_key: { inline_string: OWN_KEY } }
    const trust = { validation_context: { trusted_ca: { inline_string: OTHER_CHAIN } } }
    const secrets = names.map((name) => ({ name, ...(name === 'ROOTCA' ? trust : { tls_certificate: certificate }) }))
    send('1', 'n1', secrets)
  }
  return { clock, secrets, streams, push, send }
}

test('both secrets come, and are acknowledged', () => {
  const { secrets, streams, push } = agent()
  expect(streams[0]?.sent[0]).toMatchObject({ node: { id: 'a' }, resource_names: ['default', 'ROOTCA'] })
  push('default', 'ROOTCA')
  expect(secrets.watch('default').current).toEqual({ name: 'default', certificateChain: OWN_CHAIN, privateKey: OWN_KEY })
  expect(secrets.watch('ROOTCA').current?.trustBundle).toBe(OTHER_CHAIN)
  expect(streams[0]?.sent[1]).toMatchObject({ version_info: '1', response_nonce: 'n1' })
  expect([secrets.owns?.('default'), secrets.owns?.('kubernetes://cert')]).toEqual([true, false])
})

test('the agent goes and comes back: what it sent stays meanwhile', () => {
  const { clock, secrets, streams, push } = agent()
  push('default')
  streams[0]?.events.onClose('14 UNAVAILABLE')
  expect(secrets.watch('default').current?.privateKey).toBe(OWN_KEY)
  clock.advance(500)
  expect(streams).toHaveLength(2)
  secrets.close()
  streams[1]?.events.onClose('closed')
  clock.advance(60_000)
  expect(streams).toHaveLength(2)
})

test.each([
  ['cannot be used', { generic_secret: {} }, 'secret.unsupported'],
  ['has no certificate', { validation_context: { trusted_ca: { inline_string: 'NEW' } } }, 'trusted_ca: has no certificate'],
  [
    'breaks a rule of the API',
    { validation_context: { trusted_ca: { inline_string: 'NEW' }, verify_certificate_hash: ['short'] } },
    'xds.rule',
  ],
])('a secret that %s is refused with the reason, and the last good one stays', (_, secret, reason) => {
  const { secrets, streams, push, send } = agent()
  push('default', 'ROOTCA')
  send('2', 'n2', [{ name: 'ROOTCA', ...secret }])
  expect(secrets.watch('ROOTCA').current?.trustBundle).toBe(OTHER_CHAIN)
  const error_detail = { code: 3, message: expect.stringContaining(reason) }
  expect(streams[0]?.sent.at(-1)).toMatchObject({ version_info: '1', response_nonce: 'n2', error_detail })
  push('default')
  expect(streams[0]?.sent.at(-1)).not.toHaveProperty('error_detail')
})
