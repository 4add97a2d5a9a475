import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { createSnapshotCache } from '@heddle/xds-server'
import { expect, it } from 'vitest'
import { createProxy } from '../src/index.js'
import { startControlPlane } from './control-plane.js'
import { ask, assignment, httpManager, later, listener, routes, socketAddress, until } from './support.js'

const ADS = { ads: {}, resource_api_version: 'V3' }
const service = (name: string): object => ({ envoy_grpc: { cluster_name: name } })
const xds = (name: string, port: number): object => ({
  ...{ name, type: 'STATIC', connect_timeout: '20s', load_assignment: assignment(name, [port]) },
})

/** Everything is answered with `word`. */
function planeOf(word: string): ReturnType<typeof createSnapshotCache> {
  const reply = routes([{ match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: word } } }])
  const cache = createSnapshotCache()
  const listeners = [listener('ingress', httpManager({ route_config: reply }))]
  const resources = new Map<string, readonly object[]>([
    ['type.googleapis.com/envoy.config.listener.v3.Listener', listeners],
    ['type.googleapis.com/envoy.config.cluster.v3.Cluster', []],
  ])
  cache.set('proxy-1', { groups: [{ id: 'test', resources }] })
  return cache
}

/** A port that cuts off whoever comes, until it leads to another one. */
async function startDoor(): Promise<{ port: number; leadTo(port: number): void }> {
  let target = 0
  const open = new Set<Socket>()
  const door = createServer((socket) => {
    open.add(socket.on('error', () => {}))
    if (target === 0) return void socket.destroy()
    const behind = connect(target, '127.0.0.1').on('error', () => {})
    open.add(behind)
    behind.on('close', () => socket.destroy()).pipe(socket)
    socket.on('close', () => behind.destroy()).pipe(behind)
  })
  later(async () => {
    for (const socket of open) socket.destroy()
    await new Promise((resolve) => door.close(resolve))
  })
  door.listen(0, '127.0.0.1')
  await once(door, 'listening')
  return { port: (door.address() as AddressInfo).port, leadTo: (port) => void (target = port) }
}

it.each(['DELTA_GRPC', 'GRPC'])(
  '%s: the second server stands in for the first until that one answers (line 96)',
  async (apiType) => {
    const first = await startDoor()
    const spare = await startControlPlane(planeOf('spare'))
    const proxy = createProxy({
      bootstrap: {
        node: { id: 'proxy-1', cluster: 'test' },
        admin: { address: socketAddress(0) },
        static_resources: { clusters: [xds('first', first.port), xds('second', spare.port)] },
        dynamic_resources: {
          lds_config: ADS,
          cds_config: ADS,
          ads_config: { api_type: apiType, transport_api_version: 'V3', grpc_services: [service('first'), service('second')] },
        },
      },
    })
    await proxy.start()
    later(() => proxy.close())
    await until('the proxy is ready', () => proxy.ready.current)
    const get = async (): Promise<string> => (await ask(proxy.listeners[0]?.address.port ?? 0, '/')).body
    expect(await get()).toBe('spare')
    first.leadTo((await startControlPlane(planeOf('first'))).port)
    await until('the first is obeyed', async () => (await get()) === 'first')
    await spare.close()
    expect(proxy.xds).toMatchObject({ connected: true, rejected: 0 })
    expect(await get()).toBe('first')
  },
)
