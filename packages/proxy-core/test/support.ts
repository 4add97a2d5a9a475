import { createServer, request as httpRequest, type IncomingMessage, type RequestOptions, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { afterEach } from 'vitest'

const closing: (() => Promise<unknown>)[] = []

/** Runs after the test, the latest first. */
export function later(close: () => Promise<unknown>): void {
  closing.push(close)
}

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** A plain HTTP server that ends with the test; its port. */
export async function upstream(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<number> {
  const server = createServer(handler)
  // Longer than any test: an upstream that hangs up on its own would race with the next request.
  server.keepAliveTimeout = 600_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  later(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(resolve)
      }),
  )
  return (server.address() as AddressInfo).port
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface Question {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
  readonly agent?: RequestOptions['agent']
}

/** One request over HTTP/1.1, on a connection of its own unless an agent is given. */
export function ask(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body, agent = false }: Question = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }))
    })
    request.on('error', reject)
    request.end(body)
  })
}

/** Waits until `check` holds; fails with `what` after twenty seconds. */
export async function until(what: string, check: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 2_000; i++) {
    if (await check()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`waited in vain: ${what}`)
}

export const TYPES = 'type.googleapis.com/envoy.extensions.filters'

export const socketAddress = (port: number): object => ({ socket_address: { address: '127.0.0.1', port_value: port } })

export const assignment = (name: string, ports: readonly number[]): object => ({
  cluster_name: name,
  endpoints: [{ lb_endpoints: ports.map((port) => ({ endpoint: { address: socketAddress(port) } })) }],
})

export const staticCluster = (name: string, ports: readonly number[], extra: object = {}): object => ({
  name,
  type: 'STATIC',
  connect_timeout: '20s',
  load_assignment: assignment(name, ports),
  ...extra,
})

export const routes = (list: readonly object[]): object => ({ virtual_hosts: [{ name: 'all', domains: ['*'], routes: list }] })

export const httpManager = (routing: object, extra: object = {}): object => ({
  name: 'envoy.filters.network.http_connection_manager',
  typed_config: {
    '@type': `${TYPES}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'ingress',
    http_filters: [{ name: 'envoy.filters.http.router', typed_config: { '@type': `${TYPES}.http.router.v3.Router` } }],
    ...routing,
    ...extra,
  },
})

export const listener = (name: string, filter: object, port = 0): object => ({
  name,
  address: socketAddress(port),
  filter_chains: [{ filters: [filter] }],
})

/** Free now, and below the range from which systems hand out ports: nobody takes it by chance until it is used. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    const server = createTcpServer()
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
    })
    if (free) return port
  }
}
