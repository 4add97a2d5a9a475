import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { createServer as createHttp2Server, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createProxy, createSystemNetwork, type Network, type ProxyServer } from '@heddle/proxy-core'
import { systemClock } from '@heddle/runtime'
import { isMap } from '../compare.js'
import type { Cluster, Workload } from './gateway-api-cluster.js'
import { type Json, listAt, mapAt, proxyOf, type Resources, textAt, translated } from './mesh.js'

/** What a client sends. */
export interface Sent {
  readonly method: string
  readonly path: string
  readonly host: string
  readonly headers: Readonly<Record<string, string>>
}

/** What came back, and what the backend says that it was asked. */
export interface Got {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly echo?: Json
}

export interface Stack {
  /** Through the proxy of a Gateway; undefined: nothing listens on that port. */
  send(gateway: Workload, port: number, sent: Sent): Promise<Got | undefined>
  close(): Promise<void>
}

/** Proxies of Gateways as they are asked for, in front of echo servers; addresses of the cluster are ports of this machine. */
export async function startStack(cluster: Cluster): Promise<Stack> {
  const echo = await startEcho(cluster)
  const doors = new Map<string, Promise<Door>>()
  const door = (gateway: Workload): Promise<Door> => {
    const key = `${gateway.namespace}/${gateway.name}`
    const known = doors.get(key) ?? startDoor(cluster, gateway, echo.ports)
    doors.set(key, known)
    return known
  }
  return {
    async send(gateway, port, sent) {
      const local = (await door(gateway)).ports.get(port)
      return local === undefined ? undefined : ask(local, sent)
    },
    async close() {
      for (const started of await Promise.allSettled(doors.values()))
        if (started.status === 'fulfilled') await started.value.proxy.close()
      echo.close()
    },
  }
}

interface Door {
  readonly proxy: ProxyServer
  /** By port of the listener, the real one. */
  readonly ports: ReadonlyMap<number, number>
}

async function startDoor(cluster: Cluster, gateway: Workload, backends: ReadonlyMap<string, number>): Promise<Door> {
  const { namespace, name } = gateway
  const address = cluster.addressOf(gateway)
  const labels = { 'gateway.networking.k8s.io/gateway-name': name }
  const descriptor = proxyOf({
    id: `${name}-istio-1`,
    type: 'router',
    namespace,
    labels,
    ip: address,
    serviceAccount: `${name}-istio`,
  })
  const resources = translated(cluster.store.snapshot(), descriptor)
  const ports = new Map<number, number>()
  const proxy = createProxy({ bootstrap: bootstrapOf(resources), network: networkOf(ports, backends), drainTimeMs: 0 })
  await proxy.start()
  return { proxy, ports }
}

function networkOf(ports: Map<number, number>, backends: ReadonlyMap<string, number>): Network {
  const system = createSystemNetwork({ clock: systemClock })
  return {
    async listen(options, accept) {
      const bound = await system.listen({ ...options, address: { address: '127.0.0.1', port: 0 } }, accept)
      ports.set(options.address.port, bound.address.port)
      return bound
    },
    connect: (options) =>
      system.connect({ ...options, address: { address: '127.0.0.1', port: backends.get(backendOf(options.address)) ?? 1 } }),
  }
}

/** What xDS would bring, in place: routes in their managers, endpoints in their clusters. */
function bootstrapOf({ listeners, routes, clusters, endpoints }: Resources): object {
  const routesOf = (name: string): Json | undefined => routes.find((one) => textAt(one, 'name') === name)
  const inline = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(inline)
    if (!isMap(value)) return value
    const { rds, ...rest } = value
    const fields = Object.fromEntries(Object.entries(rest).map(([key, field]) => [key, inline(field)]))
    return rds === undefined ? fields : { ...fields, route_config: routesOf(textAt(rds, 'route_config_name')) }
  }
  const plain = clusters.map(({ eds_cluster_config: eds, transport_socket_matches: _, ...cluster }) =>
    eds === undefined
      ? cluster
      : {
          ...cluster,
          type: 'STATIC',
          load_assignment: endpoints.find((one) => textAt(one, 'cluster_name') === cluster['name']) ?? {
            cluster_name: cluster['name'],
          },
        },
  )
  const served = listeners.filter((one) => !needsSecrets(one))
  return { static_resources: { listeners: served.map(inline), clusters: plain } }
}

// Certificates of the suite are made when it runs, and are no part of its data.
function needsSecrets(listener: Json): boolean {
  return listAt(listener, 'filter_chains').some((chain) => mapAt(chain, 'transport_socket') !== undefined)
}

interface Echo {
  /** By address of the cluster. */
  readonly ports: ReadonlyMap<string, number>
  close(): void
}

/** Where backends speak HTTP/2 without TLS. */
const H2C = 3001

function backendOf({ address, port }: { readonly address: string; readonly port: number }): string {
  return port === H2C ? `${address} h2c` : address
}

async function startEcho({ workloads }: Cluster): Promise<Echo> {
  const servers: Server[] = []
  const ports = new Map<string, number>()
  const sockets = new Set<Socket>()
  const start = async (server: Server, backend: string): Promise<void> => {
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    })
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    servers.push(server)
    ports.set(backend, (server.address() as AddressInfo).port)
  }
  for (const [address, workload] of workloads) {
    await start(createServer(echoOf(workload)), address)
    await start(createHttp2Server(echoOf(workload)), `${address} h2c`)
  }
  return {
    ports,
    close() {
      for (const server of servers) server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

type Asked = IncomingMessage | Http2ServerRequest
type Answer = ServerResponse | Http2ServerResponse

/** Answers with what it was asked; `X-Echo-Set-Header: a:b,c:d` sets headers of the answer. */
function echoOf({ namespace, name }: Workload): (asked: Asked, answer: Answer) => void {
  return ({ method, url = '', headers, httpVersion }, answer) => {
    for (const pair of String(headers['x-echo-set-header'] ?? '').split(',')) {
      const colon = pair.indexOf(':')
      if (colon > 0) answer.setHeader(pair.slice(0, colon).trim(), pair.slice(colon + 1).trim())
    }
    answer.setHeader('content-type', 'application/json')
    const host = headers.host ?? headers[':authority']
    answer.end(JSON.stringify({ path: url, host, method, proto: `HTTP/${httpVersion}`, headers, namespace, pod: `${name}-1` }))
  }
}

function ask(port: number, { method, path, host, headers }: Sent): Promise<Got> {
  return new Promise((done, failed) => {
    const outgoing = httpRequest(
      { host: '127.0.0.1', port, method, path, headers: { ...headers, host }, agent: false },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk) => {
          text += chunk
        })
        response.on('end', () => {
          const echo = response.headers['content-type'] === 'application/json' ? (JSON.parse(text) as Json) : undefined
          done({ status: response.statusCode ?? 0, headers: response.headers, ...(echo === undefined ? {} : { echo }) })
        })
      },
    )
    outgoing.on('error', failed)
    outgoing.end()
  })
}
