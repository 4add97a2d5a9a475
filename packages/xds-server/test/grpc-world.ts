import { createRequire } from 'node:module'
import { Client, credentials, Metadata, Server, ServerCredentials, type ServerUnaryCall, status } from '@grpc/grpc-js'
import type { ResourceGroup } from '@heddle/xds-types'
import { expect } from 'vitest'
import { addLoadReportingService, type GrpcXdsServer, listenGrpc } from '../src/grpc/index.js'
import {
  type Applied,
  createLoadReports,
  createSnapshotCache,
  createXdsServer,
  type LoadReports,
  type SnapshotCache,
  type XdsServer,
} from '../src/index.js'

// A client that we did not write, gRPC's own xDS resolver, and what it talks to. It lives as long as its process: one world a file.
export const NODE = 'grpc-client'
export const TYPE = 'type.googleapis.com/envoy.config.'
const METHOD = { path: '/test.Greeter/Who', requestStream: false, responseStream: false } as const
const pass = (bytes: Buffer): Buffer => bytes
const ADS = { ads: {}, resource_api_version: 'V3' }

export const cache: SnapshotCache = createSnapshotCache()
export const reports: LoadReports = createLoadReports({ intervalSeconds: 0.2 })
const closers: (() => void | Promise<void>)[] = []
const ports: Record<string, number> = {}
let server: XdsServer
let listener: GrpcXdsServer

async function listen(port: number): Promise<void> {
  server = createXdsServer({ resources: (node) => cache.watch(node.id) })
  listener = await listenGrpc(server, { address: `127.0.0.1:${port}`, drainMs: 200 })
  addLoadReportingService(listener.grpcServer, reports)
}

/** Answers with its name; a caller may ask for failures first: `fail-first: 2`. */
async function startGreeter(name: string): Promise<number> {
  const greeter = new Server()
  const codec = { requestSerialize: pass, requestDeserialize: pass, responseSerialize: pass, responseDeserialize: pass }
  greeter.addService(
    { Who: { ...METHOD, ...codec } },
    {
      Who({ metadata }: ServerUnaryCall<Buffer, Buffer>, reply: (error: { code: number } | null, answer?: Buffer) => void) {
        const attempt = Number(metadata.get('grpc-previous-rpc-attempts')[0] ?? 0)
        if (attempt < Number(metadata.get('fail-first')[0] ?? 0)) reply({ code: status.UNAVAILABLE })
        else reply(null, Buffer.from(name))
      },
    },
  )
  closers.push(() => greeter.forceShutdown())
  return new Promise((resolve, reject) => {
    greeter.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port)))
  })
}

/** What a test wants: versions by weight, and more for the route, the listener's filters, the clusters, or endpoints of a cluster. */
export interface Wish {
  readonly weights: Readonly<Record<string, number>>
  readonly action?: object
  readonly filters?: readonly object[]
  readonly cluster?: object
  readonly endpoints?: Readonly<Record<string, readonly string[]>>
}

// The tests share a client, as gRPC does; each has resources of its own, and leaves them.
export const wishes: Map<string, readonly ResourceGroup[]> = new Map()

export interface Scene {
  give(wish: Wish): void
  ask(headers?: Record<string, string>): Promise<string>
}

/** A target `xds:///name` with a channel of its own. */
export function scene(name: string): Scene {
  const client = new Client(`xds:///${name}`, credentials.createInsecure())
  closers.push(() => client.close())
  return {
    give(wish) {
      wishes.set(name, [clustersOf(name, wish), routesOf(name, wish)])
      cache.set(NODE, { groups: [...wishes.values()].flat() })
    },
    ask: (headers = {}) =>
      new Promise((resolve, reject) => {
        const metadata = new Metadata()
        for (const [key, value] of Object.entries(headers)) metadata.set(key, value)
        const deadline = { deadline: Date.now() + 10_000 }
        client.makeUnaryRequest(METHOD.path, pass, pass, Buffer.alloc(0), metadata, deadline, (error, answer) => {
          if (error === null) resolve(String(answer))
          else reject(error)
        })
      }),
  }
}

function routesOf(target: string, { weights, action, filters = [] }: Wish): ResourceGroup {
  const clusters = Object.entries(weights).map(([version, weight]) => ({ name: `${target}.${version}`, weight }))
  const manager = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    rds: { route_config_name: target, config_source: ADS },
    http_filters: [
      ...filters,
      { name: 'router', typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' } },
    ],
  }
  const routes = [{ match: { prefix: '' }, route: { weighted_clusters: { clusters }, ...action } }]
  return {
    id: `routes of ${target}`,
    resources: new Map<string, object[]>([
      [`${TYPE}listener.v3.Listener`, [{ name: target, api_listener: { api_listener: manager } }]],
      [`${TYPE}route.v3.RouteConfiguration`, [{ name: target, virtual_hosts: [{ name: 'all', domains: ['*'], routes }] }]],
    ]),
  }
}

function clustersOf(target: string, { weights, cluster, endpoints = {} }: Wish): ResourceGroup {
  const versions = Object.keys(weights)
  const endpointOf = (version: string): object => ({
    health_status: 'HEALTHY',
    endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: ports[version] } } },
  })
  return {
    id: `clusters of ${target}`,
    resources: new Map<string, object[]>([
      [
        `${TYPE}cluster.v3.Cluster`,
        versions.map((version) => ({
          name: `${target}.${version}`,
          type: 'EDS',
          eds_cluster_config: { eds_config: ADS },
          lb_policy: 'ROUND_ROBIN',
          ...cluster,
        })),
      ],
      [
        `${TYPE}endpoint.v3.ClusterLoadAssignment`,
        versions.map((version) => ({
          cluster_name: `${target}.${version}`,
          endpoints: [
            {
              locality: { region: 'here' },
              load_balancing_weight: 1,
              lb_endpoints: (endpoints[version] ?? [version]).map(endpointOf),
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

export async function startWorld(): Promise<void> {
  for (const name of ['v1', 'v2']) ports[name] = await startGreeter(name)
  await listen(0)
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
}

export async function endWorld(): Promise<void> {
  for (const close of closers.splice(0)) await close()
  await listener?.close()
}

/** The server goes; what is called brings up another at the same address, which knows nothing of the first. */
export async function outage(): Promise<() => Promise<void>> {
  const { port } = listener
  await listener.close()
  return () => listen(port)
}

/** What became of what was given. */
export function applied(): Promise<Applied> {
  return server.applied()
}

/** The client has taken what was given. */
export async function settled(): Promise<void> {
  expect(await applied()).toMatchObject({ applied: [NODE], refused: [], left: [] })
}
