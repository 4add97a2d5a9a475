import { createFakeClock } from '@heddle/runtime/testing'
import { expect, test } from 'vitest'
import { createMemoryNetwork } from '../../net/memory.js'
import { createProxy } from '../../proxy.js'
import { memoryCluster } from '../../testing-proxy.js'

const TYPE = 'type.googleapis.com/envoy.extensions'
const typed = (name: string, type: string, config: object): object => ({
  name,
  typed_config: { '@type': `${TYPE}.${type}`, ...config },
})

const any = [{ any: true }]
const from = (address_prefix: string): object => ({
  policies: { p: { permissions: any, principals: [{ remote_ip: { address_prefix, prefix_len: 8 } }] } },
})

test.each<[string, object, string]>([
  ['no policy that lets it in', { rules: from('10.0.0.0') }, 'rbac_access_denied_matched_policy[none] 5'],
  ['a policy that denies it', { rules: { action: 'DENY', ...from('9.0.0.0') } }, 'rbac_access_denied_matched_policy[p] 5'],
  ['a policy that lets it in', { rules: from('9.0.0.0') }, '- 5'],
])(
  'access logs tell which policy has ended a connection, and what had come without the PROXY header: %s',
  async (_, rules, want) => {
    const [network, clock] = [createMemoryNetwork(), createFakeClock()]
    await network.listen({ address: { address: '127.0.0.1', port: 9000 } }, (connection) =>
      connection.handle({ onData() {}, onEnd: () => connection.end(), onDrain() {}, onClose() {} }),
    )
    const lines: string[] = []
    const inline_string = '%CONNECTION_TERMINATION_DETAILS% %BYTES_RECEIVED%'
    const log = typed('file', 'access_loggers.file.v3.FileAccessLog', {
      path: '/log',
      log_format: { text_format_source: { inline_string } },
    })
    const filters = [
      typed('rbac', 'filters.network.rbac.v3.RBAC', { stat_prefix: 'tcp.', ...rules }),
      typed('tcp', 'filters.network.tcp_proxy.v3.TcpProxy', { stat_prefix: 'tcp', cluster: 'app', access_log: [log] }),
    ]
    const listener = {
      name: 'in',
      address: { socket_address: { address: '127.0.0.1', port_value: 80 } },
      listener_filters: [
        typed('proxy', 'filters.listener.proxy_protocol.v3.ProxyProtocol', {}),
        typed('tls', 'filters.listener.tls_inspector.v3.TlsInspector', {}),
      ],
      filter_chains: [{ filters }],
    }
    const proxy = createProxy({
      bootstrap: { static_resources: { listeners: [listener], clusters: [memoryCluster('app', [9000])] } },
      ...{ network, clock, lookup: () => Promise.resolve([]) },
      accessLogSinks: () => ({ write: (line) => void lines.push(line) }),
    })
    await proxy.start()
    const client = await network.connect({ address: { address: '127.0.0.1', port: 80 }, timeoutMs: 0 })
    client.handle({ onData() {}, onEnd: () => client.end(), onDrain() {}, onClose() {} })
    client.write(Buffer.from('PROXY TCP4 9.9.9.9 1.1.1.1 1 2\r\nhello'))
    client.end()
    await expect.poll(() => lines).toEqual([want])
    await proxy.close()
  },
)
