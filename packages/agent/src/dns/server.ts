import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { createServer, isIPv6, type Socket, type Server as TcpServer } from 'node:net'
import type { Clock, Logger, MetricsRegistry, Random } from '@heddle/runtime'
import { type Asked, answer, failure } from './answer.js'
import { createFrameReader, frame } from './frames.js'
import type { LookupTable } from './lookup-table.js'
import { truncate } from './reply.js'
import type { Upstream } from './upstream.js'

export interface DnsServerOptions {
  /** Listened on by UDP and TCP, loopback as a rule: `127.0.0.1`, `::1`. */
  readonly addresses: readonly string[]
  /** 0 takes a free one. */
  readonly port: number
  /** As it is at the moment of a question; undefined: it has not come yet. */
  table(): LookupTable | undefined
  readonly upstream: Upstream
  /** Until the table has come: `fail` (SERVFAIL, so that nobody believes that a name is not there), or `forward`. */
  readonly untilThen: 'fail' | 'forward'
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: MetricsRegistry
}

export interface DnsServer {
  /** Rejects where a port is taken. The port that was bound. */
  listen(): Promise<number>
  close(): Promise<void>
}

/** Questions to other servers at once; more than that fail, so that a flood of them takes no memory. */
const MOST_FORWARDED = 1_000
const MOST_CONNECTIONS = 256
const IDLE_MS = 10_000

/** The agent's DNS server (Istio's, on 15053): names of the mesh from its table, all others from the servers of resolv.conf. */
export function createDnsServer(options: DnsServerOptions): DnsServer {
  const handle = createHandler(options)
  const closers: (() => Promise<void>)[] = []
  return {
    async listen() {
      let { port } = options
      for (const address of options.addresses) {
        const connections = new Set<Socket>()
        const tcp = createServer((socket) => {
          connections.add(socket.once('close', () => connections.delete(socket)))
          serveConnection(socket, handle, options)
        })
        tcp.maxConnections = MOST_CONNECTIONS
        closers.push(() => {
          for (const socket of connections) socket.destroy()
          return new Promise((done) => tcp.close(() => done()))
        })
        port = await listenTcp(tcp, address, port)
        const udp = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
        closers.push(() => new Promise((done) => udp.close(() => done())))
        udp.on('message', (query, from) => {
          void handle(query, 'udp').then((reply) => reply !== undefined && udp.send(reply, from.port, from.address, () => {}))
        })
        await listenUdp(udp, address, port)
      }
      return port
    },
    close: async () => void (await Promise.all(closers.splice(0).map((close) => close().catch(() => {})))),
  }
}

type Handle = (query: Buffer, protocol: Asked['protocol']) => Promise<Buffer | undefined>

function createHandler({ table, upstream, untilThen, clock, random, logger, metrics }: DnsServerOptions): Handle {
  // Names of Istio's agent.
  const requests = metrics.counter('dns_requests_total', 'Total number of DNS requests.').labels()
  const asked = metrics.counter('dns_upstream_requests_total', 'Total number of DNS requests forwarded to upstream.').labels()
  const failed = metrics.counter('dns_upstream_failures_total', 'Total number of DNS failures from upstream.').labels()
  const taken = metrics
    .histogram('dns_upstream_request_duration_seconds', 'Total time in seconds Istio takes to get DNS response from upstream.')
    .labels()
  let forwarded = 0
  return async (query, protocol) => {
    requests.inc()
    const handling = answer(query, table(), untilThen, { protocol, random })
    if (handling === undefined || 'reply' in handling) return handling?.reply
    if (forwarded >= MOST_FORWARDED) return failure(query)
    forwarded++
    asked.inc()
    const from = clock.monotonic()
    try {
      const reply = await upstream(query, protocol)
      taken.observe((clock.monotonic() - from) / 1000)
      return truncate(reply, handling.limit)
    } catch (error) {
      failed.inc()
      logger.warn({ error: String(error) }, 'no server of resolv.conf has answered')
      return failure(query)
    } finally {
      forwarded--
    }
  }
}

function serveConnection(socket: Socket, handle: Handle, { clock }: DnsServerOptions): void {
  let idle = clock.after(IDLE_MS, () => socket.destroy())
  const read = createFrameReader((query) => {
    idle()
    idle = clock.after(IDLE_MS, () => socket.destroy())
    void handle(query, 'tcp').then((reply) => {
      if (reply === undefined) socket.destroy()
      else if (!socket.destroyed) socket.write(frame(reply))
    })
  })
  socket.on('data', read)
  socket.on('error', () => socket.destroy())
  socket.on('close', () => idle())
}

function listenTcp(server: TcpServer, host: string, port: number): Promise<number> {
  return new Promise((done, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      const address = server.address()
      done(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

function listenUdp(socket: UdpSocket, host: string, port: number): Promise<void> {
  return new Promise((done, reject) => {
    socket.once('error', reject)
    socket.bind({ address: host, port }, () => {
      // A client that has gone makes the next send fail.
      socket.removeAllListeners('error').on('error', () => {})
      done()
    })
  })
}
