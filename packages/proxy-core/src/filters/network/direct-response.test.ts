import { createFakeClock } from '@heddle/runtime/testing'
import { expect, it } from 'vitest'
import { createMemoryNetwork } from '../../net/memory.js'
import { createProxy } from '../../proxy.js'

const TYPE = 'type.googleapis.com/envoy.extensions.filters.network.direct_response.v3.Config'

it.each([
  [{ response: { inline_string: 'hello there' } }, 'hello there'],
  [{ response: { inline_bytes: 'AP8C' } }, '\0\xff\x02'],
  [{}, ''],
])('%j: every client is told the same, and the connection ends', async (config, expected) => {
  const [network, clock] = [createMemoryNetwork(), createFakeClock()]
  const address = { socket_address: { address: '127.0.0.1', port_value: 80 } }
  const filters = [{ name: 'direct', typed_config: { '@type': TYPE, ...config } }]
  const proxy = createProxy({
    bootstrap: { static_resources: { listeners: [{ name: 'l', address, filter_chains: [{ filters }] }] } },
    ...{ network, clock, lookup: () => Promise.resolve([]) },
  })
  await proxy.start()
  const talk = async (closes: boolean): Promise<string> => {
    const client = await network.connect({ address: { address: '127.0.0.1', port: 80 }, timeoutMs: 0 })
    let got = ''
    return new Promise((resolve) => {
      client.handle({
        onData(bytes) {
          got += Buffer.from(bytes).toString('latin1')
        },
        onEnd() {
          if (closes) client.end()
          else {
            clock.advance(1_000)
            // Nobody is there any more.
            client.write(Buffer.from('still here?'))
          }
        },
        onDrain() {},
        onClose: () => resolve(got),
      })
      client.write(Buffer.from('what a client says is not heard'))
    })
  }
  expect(await talk(true)).toBe(expected)
  // One that never says goodbye is left.
  expect(await talk(false)).toBe(expected)
  await proxy.close()
})
