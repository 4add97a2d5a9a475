import { createFakeClock } from '@heddle/runtime/testing'
import { expect, test } from 'vitest'
import { createMemoryNetwork } from '../../net/memory.js'
import { createProxy } from '../../proxy.js'
import { memoryCluster } from '../../testing-proxy.js'

test('an HTTP proxy that never answers is waited for a minute', async () => {
  const [network, clock] = [createMemoryNetwork(), createFakeClock()]
  let asked = ''
  await network.listen({ address: { address: '127.0.0.1', port: 9000 } }, (connection) =>
    connection.handle({
      onData(bytes) {
        asked += Buffer.from(bytes)
      },
      onEnd: () => connection.end(),
      onDrain() {},
      onClose() {},
    }),
  )
  const typed_config = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
    ...{ stat_prefix: 'tcp', cluster: 'forward', tunneling_config: { hostname: 'db.example:5432' } },
  }
  const address = { socket_address: { address: '127.0.0.1', port_value: 80 } }
  const listener = { name: 'l', address, filter_chains: [{ filters: [{ name: 'tcp', typed_config }] }] }
  const proxy = createProxy({
    bootstrap: { static_resources: { listeners: [listener], clusters: [memoryCluster('forward', [9000])] } },
    ...{ network, clock, lookup: () => Promise.resolve([]) },
  })
  await proxy.start()
  const client = await network.connect({ address: { address: '127.0.0.1', port: 80 }, timeoutMs: 0 })
  let over = false
  client.handle({
    onData() {},
    onEnd() {
      over = true
      client.end()
    },
    onDrain() {},
    onClose() {},
  })
  await expect.poll(() => asked).toBe('CONNECT db.example:5432 HTTP/1.1\r\nhost: db.example:5432\r\n\r\n')
  await clock.advanceAsync(59_000)
  expect(over).toBe(false)
  await clock.advanceAsync(2_000)
  await expect.poll(() => over).toBe(true)
  await proxy.close()
})
