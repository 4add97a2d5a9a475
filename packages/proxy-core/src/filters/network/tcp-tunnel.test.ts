import { renderPrometheus } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import { expect, onTestFinished, test } from 'vitest'
import { createMemoryNetwork } from '../../net/memory.js'
import { createProxy } from '../../proxy.js'
import { memoryCluster } from '../../testing-proxy.js'

/** A tcp_proxy through an HTTP proxy that hears and never answers, and one client of it. */
async function start(cluster: object = {}) {
  const [network, clock] = [createMemoryNetwork(), createFakeClock()]
  const heard = { asked: '', over: false }
  await network.listen({ address: { address: '127.0.0.1', port: 9000 } }, (connection) =>
    connection.handle({
      onData(bytes) {
        heard.asked += Buffer.from(bytes)
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
    bootstrap: { static_resources: { listeners: [listener], clusters: [memoryCluster('forward', [9000], cluster)] } },
    ...{ network, clock, lookup: () => Promise.resolve([]) },
  })
  await proxy.start()
  onTestFinished(() => proxy.close())
  const client = await network.connect({ address: { address: '127.0.0.1', port: 80 }, timeoutMs: 0 })
  client.handle({
    onData() {},
    onEnd() {
      heard.over = true
      client.end()
    },
    onDrain() {},
    onClose() {},
  })
  return { heard, clock, proxy }
}

test('an HTTP proxy that never answers is waited for a minute', async () => {
  const { heard, clock } = await start()
  await expect.poll(() => heard.asked).toBe('CONNECT db.example:5432 HTTP/1.1\r\nhost: db.example:5432\r\n\r\n')
  await clock.advanceAsync(59_000)
  expect(heard.over).toBe(false)
  await clock.advanceAsync(2_000)
  await expect.poll(() => heard.over).toBe(true)
})

test('a circuit breaker that is open is no fault of the HTTP proxy', async () => {
  const { heard, proxy } = await start({ circuit_breakers: { thresholds: [{ max_pending_requests: 0 }] } })
  await expect.poll(() => heard.over).toBe(true)
  expect(heard.asked).toBe('')
  const text = renderPrometheus(proxy.stats)
  expect(text).toMatch(/^envoy_cluster_upstream_rq_pending_overflow\{.*\} 1$/m)
  expect(text).toMatch(/^envoy_tcp_upstream_cx_connect_attempts_exceeded\{.*\} 0$/m)
})
