import { createServer } from 'node:net'
import { systemClock } from '@heddle/runtime'
import { createProxy } from '../src/index.js'
import { formatAddress } from '../src/net/address.js'
import type { SocketAddress } from '../src/net/connection.js'
import type { Network } from '../src/net/network.js'
import { createMappedOriginalDst } from '../src/net/original-dst/mapped.js'
import { createSystemNetwork } from '../src/net/socket.js'

/** Listeners of every kind in a pod: providers that tell the client what they know, a proxy, and apps behind it. */

interface Setup {
  /** `local address:port` -> destination, for the map. */
  readonly map: Readonly<Record<string, SocketAddress>>
  /** Where apps listen that tell their client its address. */
  readonly apps: readonly SocketAddress[]
}

const { map, apps } = JSON.parse(process.argv[2] ?? '') as Setup
const network = createSystemNetwork({ clock: systemClock })
const mapped = createSystemNetwork({
  clock: systemClock,
  originalDst: createMappedOriginalDst(new Map(Object.entries(map))),
})

const tell = (on: Network, port: number, how: { redirected?: boolean; transparent?: boolean }): Promise<unknown> =>
  on.listen({ address: { address: '::', port }, ...how }, (connection) => {
    const { originalDestination: destination } = connection
    connection.handle({ onData() {}, onDrain() {}, onClose() {}, onEnd: () => connection.end() })
    connection.write(Buffer.from(`${destination === undefined ? 'direct' : formatAddress(destination)}\n`))
  })

await tell(network, 15001, { redirected: true })
await tell(network, 15007, { transparent: true })
await tell(mapped, 15101, { redirected: true })
for (const { address, port } of apps) {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.end(`app ${socket.localAddress}:${socket.localPort} called by ${socket.remoteAddress}\n`)
  })
  await new Promise<void>((resolve) => server.listen(port, address, resolve))
}

const FILTERS = 'type.googleapis.com/envoy.extensions.filters'
const at = (address: string, port_value: number): object => ({ socket_address: { address, port_value } })
const tcp = (cluster: string): object => ({
  filters: [
    {
      name: 'tcp',
      typed_config: {
        '@type': `${FILTERS}.network.tcp_proxy.v3.TcpProxy`,
        ...{ stat_prefix: 'tcp', cluster },
      },
    },
  ],
})
const proxy = createProxy({
  bootstrap: {
    static_resources: {
      listeners: [
        {
          name: 'virtual',
          address: at('0.0.0.0', 15008),
          additional_addresses: [{ address: at('::', 15008) }],
          use_original_dst: true,
          filter_chains: [tcp('passthrough')],
        },
        {
          name: 'transparent',
          address: at('0.0.0.0', 15009),
          additional_addresses: [{ address: at('::', 15009) }],
          transparent: true,
          listener_filters: [
            { name: 'original_src', typed_config: { '@type': `${FILTERS}.listener.original_src.v3.OriginalSrc`, mark: 1337 } },
          ],
          filter_chains: [tcp('passthrough')],
        },
        { name: 'service', address: at('10.95.0.10', 80), bind_to_port: false, filter_chains: [tcp('app')] },
      ],
      clusters: [
        { name: 'passthrough', type: 'ORIGINAL_DST', lb_policy: 'CLUSTER_PROVIDED', connect_timeout: '5s' },
        {
          name: 'app',
          connect_timeout: '5s',
          load_assignment: {
            cluster_name: 'app',
            endpoints: [{ lb_endpoints: [{ endpoint: { address: at('10.95.0.99', 80) } }] }],
          },
        },
      ],
    },
  },
})
await proxy.start()
process.stdout.write('"ready"\n')
