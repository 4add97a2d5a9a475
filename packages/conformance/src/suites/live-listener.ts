import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { createProxy, type ProxyServer } from '@heddle/proxy-core'

const TYPE = 'type.googleapis.com/envoy.extensions.filters'
const at = (port: number): object => ({ socket_address: { address: '127.0.0.1', port_value: port } })

export interface LiveListener {
  /** Sends these bytes on a connection of their own. */
  send(bytes: Uint8Array): Promise<Answer>
  close(): Promise<void>
}

export interface Answer {
  /** All bytes, as Latin-1. */
  readonly text: string
  /** 0: no answer. */
  readonly status: number
  /** Whether the proxy closed the connection. */
  readonly closed: boolean
  /** What the upstream was sent meanwhile, as Latin-1. */
  readonly upstream: string
}

/** A proxy with one HTTP listener, whose manager has these fields beside, in front of an upstream that answers 200 to whatever comes. */
export async function startLiveListener(manager: object): Promise<LiveListener> {
  const upstream = await startUpstream()
  const proxy = createProxy({ bootstrap: bootstrapOf(upstream.port, manager), drainTimeMs: 0 })
  await proxy.start()
  return {
    async send(bytes) {
      upstream.seen.length = 0
      const answer = await exchange(portOf(proxy), bytes)
      return { ...answer, upstream: upstream.seen.join('') }
    },
    async close() {
      await proxy.close()
      await upstream.close()
    },
  }
}

const portOf = (proxy: ProxyServer): number => proxy.listeners[0]?.address.port ?? 0

function bootstrapOf(port: number, manager: object): object {
  const http = {
    '@type': `${TYPE}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'live',
    ...manager,
    route_config: {
      virtual_hosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'echo' } }] }],
    },
    http_filters: [{ name: 'envoy.filters.http.router', typed_config: { '@type': `${TYPE}.http.router.v3.Router` } }],
  }
  const chain = { filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: http }] }
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: at(port) } }] }]
  return {
    // As Istio's bootstrap has it.
    layered_runtime: {
      layers: [{ name: 'global', static_layer: { 'envoy.reloadable_features.http_reject_path_with_fragment': false } }],
    },
    static_resources: {
      listeners: [{ name: 'live', address: at(0), filter_chains: [chain] }],
      clusters: [{ name: 'echo', connect_timeout: '1s', load_assignment: { cluster_name: 'echo', endpoints } }],
    },
  }
}

interface Upstream {
  readonly port: number
  readonly seen: string[]
  close(): Promise<void>
}

/** Answers as soon as a head is there, and closes: what the proxy sent is kept as it came. */
async function startUpstream(): Promise<Upstream> {
  const seen: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    let head = ''
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (bytes) => {
      const text = bytes.toString('latin1')
      seen.push(text)
      if (head.includes('\r\n\r\n')) return
      head += text
      if (head.includes('\r\n\r\n')) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    close: () =>
      new Promise((closed) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => closed())
      }),
  }
}

/** How long an answer, and the close after a refusal, may take; and what may follow any other answer. */
const PATIENCE_MS = 5000
const AFTERMATH_MS = 20

function exchange(port: number, bytes: Uint8Array): Promise<Omit<Answer, 'upstream'>> {
  return new Promise((done) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    const finish = (closed: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      done({ text, status: statusOf(text), closed })
    }
    let timer = setTimeout(() => finish(false), PATIENCE_MS)
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (statusOf(text) === 0 || statusOf(text) >= 400) return
      clearTimeout(timer)
      timer = setTimeout(() => finish(false), AFTERMATH_MS)
    })
    socket.on('error', () => finish(true))
    socket.on('end', () => finish(true))
  })
}

const statusOf = (text: string): number => Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1] ?? 0)
