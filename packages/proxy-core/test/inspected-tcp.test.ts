import { type AddressInfo, connect, createServer } from 'node:net'
import { expect, it } from 'vitest'
import { createProxy } from '../src/index.js'
import { later, listener, staticCluster } from './support.js'

const INSPECTOR = {
  name: 'envoy.filters.listener.tls_inspector',
  typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector' },
}
const TCP_PROXY = {
  name: 'envoy.filters.network.tcp_proxy',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
    stat_prefix: 'tcp',
    cluster: 'echo',
  },
}

it('what the tls_inspector has read of a plain connection reaches the upstream of tcp_proxy', async () => {
  const echo = createServer((socket) => socket.pipe(socket))
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
  later(async () => void echo.close())
  const proxy = createProxy({
    bootstrap: {
      static_resources: {
        listeners: [{ ...listener('l', TCP_PROXY), listener_filters: [INSPECTOR] }],
        clusters: [staticCluster('echo', [(echo.address() as AddressInfo).port])],
      },
    },
  })
  await proxy.start()
  later(() => proxy.close())
  const received = await new Promise<string>((resolve, reject) => {
    const socket = connect(proxy.listeners[0]?.address.port ?? 0, '127.0.0.1', () => socket.write('hello'))
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      socket.destroy()
      resolve(String(chunk))
    })
  })
  expect(received).toBe('hello')
})
