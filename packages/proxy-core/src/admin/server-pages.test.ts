import { createFakeClock } from '@heddle/runtime/testing'
import { expect, it } from 'vitest'
import { createMemoryNetwork } from '../net/memory.js'
import { createProxy } from '../proxy.js'
import { OTHER_CHAIN, OWN_CHAIN, OWN_KEY } from '../testing-certificates.js'
import type { AdminViews } from './page.js'
import { secretsBeside } from './secrets-dump.js'

const tcp = {
  '@type': 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
  stat_prefix: 'tcp',
  cluster: 'app',
}
const listener = (name: string, port_value: number): object => ({
  name,
  address: { socket_address: { address: '127.0.0.1', port_value } },
  filter_chains: [{ filters: [{ name: 'tcp', typed_config: tcp }] }],
})

it('the server tells its flags, its age and its state', async () => {
  const clock = createFakeClock()
  const proxy = createProxy({
    bootstrap: {
      static_resources: {
        listeners: [listener('a', 1), listener('b', 2)],
        clusters: [{ name: 'app', load_assignment: { cluster_name: 'app' } }],
      },
    },
    commandLineOptions: { concurrency: 2, drain_time: '45s' },
    ...{ clock, network: createMemoryNetwork() },
  })
  const page = (path: string, method = 'GET'): string => proxy.answerAdmin(method, path).body
  await proxy.start()
  await clock.advanceAsync(5_000)
  expect(JSON.parse(page('/server_info'))).toMatchObject({
    state: 'LIVE',
    command_line_options: { concurrency: 2, drain_time: '45s' },
    uptime_current_epoch: '5s',
  })
  const stats = page('/stats')
  for (const line of [
    'server.live: 1',
    'server.state: 0',
    'server.uptime: 5',
    'server.total_connections: 0',
    'listener_manager.total_listeners_active: 2',
    'cluster_manager.active_clusters: 1',
    'listener_manager.total_listeners_warming: 0',
  ])
    expect(stats).toContain(`${line}\n`)
  expect(page('/stats/prometheus')).toContain('envoy_server_live 1\n')
  page('/healthcheck/fail', 'POST')
  expect(page('/stats')).toContain('server.live: 0\n')
  expect(page('/stats')).toContain('server.state: 1\n')
  await proxy.close()
})

it('secrets of the bootstrap are in the config dump, without their private keys', async () => {
  const secrets = [
    {
      name: 'own',
      tls_certificate: { certificate_chain: { inline_string: OWN_CHAIN }, private_key: { inline_string: OWN_KEY } },
    },
    { name: 'ROOTCA', validation_context: { trusted_ca: { inline_string: OTHER_CHAIN } } },
  ]
  const proxy = createProxy({
    bootstrap: { static_resources: { secrets } },
    network: createMemoryNetwork(),
    clock: createFakeClock(),
  })
  await proxy.start()
  const dump = proxy.answerAdmin('GET', '/config_dump').body
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  expect(JSON.parse(dump).configs.at(-1)).toMatchObject({
    static_secrets: [
      { name: 'own', secret: { tls_certificate: { certificate_chain: { inline_string: OWN_CHAIN } } } },
      { name: 'ROOTCA', secret: { validation_context: { trusted_ca: { inline_string: OTHER_CHAIN } } } },
    ],
  })
  expect(dump).not.toContain(OWN_KEY.split('\n')[1])
  expect(dump).not.toContain(base64(OWN_KEY))
  await proxy.close()
})

it('secrets that an agent brings are in the config dump, the private key is not', () => {
  const secrets = [
    { name: 'default', certificateChain: 'CHAIN', privateKey: 'KEY' },
    { name: 'ROOTCA', trustBundle: 'ROOT' },
  ]
  const { active } = secretsBeside({ bootstrap: {}, secrets } as unknown as AdminViews, new Set(['ROOTCA']))
  expect(active).toMatchObject([
    {
      name: 'default',
      secret: {
        tls_certificate: {
          certificate_chain: { inline_bytes: Buffer.from('CHAIN').toString('base64') },
          private_key: { inline_bytes: Buffer.from('[redacted]').toString('base64') },
        },
      },
    },
  ])
})
