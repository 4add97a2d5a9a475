import { createRequire } from 'node:module'
import { Client, credentials, Server, ServerCredentials } from '@grpc/grpc-js'
import type { ResourceGroup } from '@heddle/xds-types'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type GrpcXdsServer, listenGrpc } from '../src/grpc/index.js'
import { createSnapshotCache, createXdsServer } from '../src/index.js'

// A client that we did not write: gRPC's own xDS resolver asks over SotW ADS, LDS -> RDS -> CDS -> EDS.
const NODE = 'grpc-client'
const TARGET = 'greeter'
const TYPE = 'type.googleapis.com/envoy.config.'
const METHOD = { path: '/test.Greeter/Who', requestStream: false, responseStream: false } as const
const pass = (bytes: Buffer): Buffer => bytes
const ADS = { ads: {}, resource_api_version: 'V3' }

const cache = createSnapshotCache()
const server = createXdsServer({ resources: (node) => cache.watch(node.id) })
const closers: (() => void | Promise<void>)[] = []
const ports: Record<string, number> = {}
let listener: GrpcXdsServer
let client: Client

async function startGreeter(name: string): Promise<number> {
  const greeter = new Server()
  const codec = { requestSerialize: pass, requestDeserialize: pass, responseSerialize: pass, responseDeserialize: pass }
  greeter.addService(
    { Who: { ...METHOD, ...codec } },
    {
      Who: (_call: unknown, reply: (error: null, answer: Buffer) => void) => reply(null, Buffer.from(name)),
    },
  )
  closers.push(() => greeter.forceShutdown())
  return new Promise((resolve, reject) => {
    greeter.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port)))
  })
}

function ask(): Promise<string> {
  return new Promise((resolve, reject) => {
    const deadline = { deadline: Date.now() + 10_000 }
    client.makeUnaryRequest(METHOD.path, pass, pass, Buffer.alloc(0), deadline, (error, answer) => {
      if (error === null) resolve(String(answer))
      else reject(error)
    })
  })
}

/** What leads `greeter` to the named versions, by weight. */
function mesh(weights: Record<string, number>): ResourceGroup {
  const clusters = Object.entries(weights).map(([name, weight]) => ({ name, weight }))
  const manager = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    rds: { route_config_name: 'routes', config_source: ADS },
    http_filters: [
      { name: 'router', typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' } },
    ],
  }
  const action = { weighted_clusters: { clusters } }
  return {
    id: 'routes',
    resources: new Map<string, object[]>([
      [`${TYPE}listener.v3.Listener`, [{ name: TARGET, api_listener: { api_listener: manager } }]],
      [
        `${TYPE}route.v3.RouteConfiguration`,
        [
          {
            name: 'routes',
            virtual_hosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '' }, route: action }] }],
          },
        ],
      ],
    ]),
  }
}

function clustersOf(names: readonly string[]): ResourceGroup {
  return {
    id: 'clusters',
    resources: new Map<string, object[]>([
      [
        `${TYPE}cluster.v3.Cluster`,
        names.map((name) => ({ name, type: 'EDS', eds_cluster_config: { eds_config: ADS }, lb_policy: 'ROUND_ROBIN' })),
      ],
      [
        `${TYPE}endpoint.v3.ClusterLoadAssignment`,
        names.map((name) => ({
          cluster_name: name,
          endpoints: [
            {
              locality: { region: 'here' },
              load_balancing_weight: 1,
              lb_endpoints: [
                {
                  health_status: 'HEALTHY',
                  endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: ports[name] } } },
                },
              ],
            },
          ],
        })),
      ],
    ]),
  }
}

/** Under the test runner's resolve conditions the client's `require('xxhash-wasm')` gets the ES module instead of the function. */
function mendXxhash(): void {
  const require = createRequire(createRequire(import.meta.url).resolve('@grpc/grpc-js-xds'))
  const id = require.resolve('xxhash-wasm')
  const loaded: unknown = require(id)
  const cached = require.cache[id]
  if (typeof loaded !== 'function' && cached !== undefined) cached.exports = (loaded as { default: unknown }).default
}

beforeAll(async () => {
  for (const name of ['v1', 'v2']) ports[name] = await startGreeter(name)
  listener = await listenGrpc(server, { address: '127.0.0.1:0' })
  const bootstrap = {
    xds_servers: [
      { server_uri: `127.0.0.1:${listener.port}`, channel_creds: [{ type: 'insecure' }], server_features: ['xds_v3'] },
    ],
    node: { id: NODE, cluster: 'test', locality: { region: 'here' } },
  }
  process.env['GRPC_XDS_BOOTSTRAP_CONFIG'] = JSON.stringify(bootstrap)
  mendXxhash()
  const { register } = await import('@grpc/grpc-js-xds')
  register()
  client = new Client(`xds:///${TARGET}`, credentials.createInsecure())
}, 30_000)

afterAll(async () => {
  client?.close()
  for (const close of closers) await close()
  await listener?.close()
})

test('calls follow the weights, and a live change of them, without one failure', async () => {
  const both = clustersOf(['v1', 'v2'])
  cache.set(NODE, { groups: [both, mesh({ v1: 90, v2: 10 })] })
  const before = { v1: 0, v2: 0 } as Record<string, number>
  for (let i = 0; i < 200; i++) before[await ask()]! += 1
  expect(before['v1']).toBeGreaterThan(150)
  expect(before['v2']).toBeGreaterThan(3)

  let calling = true
  const answers: string[] = []
  const load = (async () => {
    while (calling) answers.push(await ask())
  })()
  cache.set(NODE, { groups: [both, mesh({ v2: 100 })] })
  expect(await server.applied()).toMatchObject({ applied: [NODE], refused: [], left: [] })
  // Now v1 may go altogether: make before break.
  cache.set(NODE, { groups: [clustersOf(['v2']), mesh({ v2: 100 })] })
  expect(await server.applied()).toMatchObject({ applied: [NODE], refused: [] })
  calling = false
  await load
  expect(answers.length).toBeGreaterThan(0)
  for (let i = 0; i < 50; i++) expect(await ask()).toBe('v2')
}, 30_000)

test('a resource that the client refuses is told with its reason, and the last good one serves on', async () => {
  cache.set(NODE, { groups: [clustersOf(['v2']), mesh({ v2: 100 })] })
  await vi.waitFor(async () => expect(await ask()).toBe('v2'))
  const bad = mesh({ v2: 100 })
  const broken = new Map(bad.resources)
  broken.set(`${TYPE}listener.v3.Listener`, [
    { name: TARGET, api_listener: { api_listener: { '@type': `${TYPE}cluster.v3.Cluster`, name: 'not a manager' } } },
  ])
  cache.set(NODE, { groups: [clustersOf(['v2']), { id: 'bad', resources: broken }] })
  const { refused } = await server.applied()
  expect(refused).toMatchObject([{ nodeId: NODE, typeUrl: `${TYPE}listener.v3.Listener` }])
  expect(refused[0]?.message).not.toBe('')
  expect(await ask()).toBe('v2')
}, 30_000)
