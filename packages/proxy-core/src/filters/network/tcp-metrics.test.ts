import { renderPrometheus } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import { expect, test } from 'vitest'
import { createMemoryNetwork } from '../../net/memory.js'
import { createProxy } from '../../proxy.js'
import { memoryCluster } from '../../testing-proxy.js'

const TYPE = 'type.googleapis.com/envoy.extensions.filters.network'
const address = (port_value: number): object => ({ socket_address: { address: '127.0.0.1', port_value } })
const STATS = { name: 'istio.stats', typed_config: { '@type': 'type.googleapis.com/stats.PluginConfig' } }
const RBAC = {
  name: 'rbac',
  typed_config: { '@type': `${TYPE}.rbac.v3.RBAC`, stat_prefix: 'tcp.', rules: { action: 'ALLOW', policies: {} } },
}

function listener(name: string, port: number, ...before: readonly object[]): object {
  const proxy = {
    name: 'tcp',
    typed_config: { '@type': `${TYPE}.tcp_proxy.v3.TcpProxy`, stat_prefix: 'tcp', cluster: 'outbound|5432||db.data.svc' },
  }
  return { name, address: address(port), traffic_direction: 'OUTBOUND', filter_chains: [{ filters: [...before, STATS, proxy] }] }
}

test('connections of a TCP proxy are told as Istio tells them: open, closed, and those that a policy refuses', async () => {
  const [network, clock] = [createMemoryNetwork(), createFakeClock()]
  await network.listen({ address: { address: '127.0.0.1', port: 9000 } }, (connection) =>
    connection.handle({
      onData: (bytes) => void connection.write(Buffer.from(`you said ${Buffer.from(bytes)}`)),
      onEnd: () => connection.end(),
      onDrain() {},
      onClose() {},
    }),
  )
  const metadata = { filter_metadata: { istio: { services: [{ host: 'db.data.svc', name: 'db', namespace: 'data' }] } } }
  const proxy = createProxy({
    bootstrap: {
      node: { id: 'n', metadata: { WORKLOAD_NAME: 'shop', NAMESPACE: 'store' } },
      static_resources: {
        listeners: [listener('in', 80), listener('denied', 81, RBAC)],
        clusters: [memoryCluster('outbound|5432||db.data.svc', [9000], { metadata })],
      },
    },
    ...{ network, clock, lookup: () => Promise.resolve([]) },
  })
  await proxy.start()
  const open = async (port: number) => {
    const client = await network.connect({ address: { address: '127.0.0.1', port }, timeoutMs: 0 })
    let got = ''
    const closed = new Promise<string>((resolve) =>
      client.handle({
        onData(bytes) {
          got += Buffer.from(bytes)
        },
        onEnd: () => client.end(),
        onDrain() {},
        onClose: () => resolve(got),
      }),
    )
    return { client, closed, said: () => got }
  }
  const told = (pick: string): string[] =>
    [...renderPrometheus(proxy.stats).matchAll(/^istio_tcp_(\w+)_total(\{.*\} \d+)$/gm)]
      .filter(([, , rest]) => rest?.includes(pick))
      .map(([, name, rest]) => `${name} ${rest?.split(' ').at(-1)}`)

  const first = await open(80)
  first.client.write(Buffer.from('hello'))
  await expect.poll(first.said).toBe('you said hello')
  expect(told('source')).toEqual([])
  clock.advance(5_000)
  const row = 'source_workload="shop"'
  expect(told(row)).toEqual(['connections_opened 1', 'connections_closed 0', 'sent_bytes 14', 'received_bytes 5'])
  expect(told('destination_service="db.data.svc"')).toHaveLength(4)
  first.client.end()
  await first.closed
  await expect
    .poll(() => told(row))
    .toEqual(['connections_opened 1', 'connections_closed 1', 'sent_bytes 14', 'received_bytes 5'])

  expect(await (await open(81)).closed).toBe('')
  await expect
    .poll(() => told(row))
    .toEqual(['connections_opened 2', 'connections_closed 2', 'sent_bytes 14', 'received_bytes 5'])
  await proxy.close()
})
