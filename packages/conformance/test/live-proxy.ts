import {
  type Connection,
  type ConnectOptions,
  createMemoryNetwork,
  createProxy,
  type ExplainConfig,
  type Network,
  type SecretSource,
  type Tls,
} from '@heddle/proxy-core'
import { createWatch, type Random } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import { type Json, listAt, mapAt, type Resources, textAt } from '../src/suites/mesh.js'
import type { SeededCall } from './explained-calls.js'

/** What became of a call at a running proxy. */
export interface LiveResult {
  readonly kind: 'forward' | 'reply' | 'close'
  readonly status?: number
  readonly details?: string
  readonly cluster?: string
  readonly endpoint?: string
}

export interface LiveProxy {
  readonly inForce: ExplainConfig
  call(call: SeededCall): Promise<LiveResult>
  close(): Promise<void>
}

const TYPES = 'type.googleapis.com/envoy.extensions'
const MARK = 'code=%RESPONSE_CODE% details=%RESPONSE_CODE_DETAILS% cluster=%UPSTREAM_CLUSTER_RAW% host=%UPSTREAM_HOST%\n'
const LOG = {
  name: 'envoy.access_loggers.file',
  typed_config: {
    '@type': `${TYPES}.access_loggers.file.v3.FileAccessLog`,
    path: 'live',
    log_format: { text_format_source: { inline_string: MARK } },
  },
}

/** Everybody's handshake succeeds, and nothing is encrypted: which context was chosen is decided before. */
const OPEN_TLS: Tls = {
  accept: (connection) => Promise.resolve(connection),
  connect: (connection) => Promise.resolve(connection),
}
const material = createWatch({ name: 'any', certificateChain: 'x', privateKey: 'x', trustBundle: 'x' })
const SECRETS: SecretSource = { watch: () => material, owns: () => true }

/** A proxy in memory over the resources, with one app behind every address, which answers 200. */
export async function startLiveProxy(resources: Resources, random: Random): Promise<LiveProxy> {
  const lines = new Set<(line: string) => void>()
  const network = createCaptureNetwork()
  const proxy = createProxy({
    bootstrap: {
      static_resources: { listeners: resources.listeners.map((each) => withLogs(each)), clusters: resources.clusters },
    },
    ...{ network, random, tls: OPEN_TLS, secrets: SECRETS, clock: createFakeClock() },
    lookup: () => Promise.resolve(['10.9.8.7']),
    accessLogSinks: () => ({
      write(line) {
        for (const hear of lines) hear(line)
      },
    }),
  })
  await proxy.start()
  await new Promise(setImmediate) // names resolve
  return {
    inForce: proxy.inForce,
    close: () => proxy.close(),
    async call(call) {
      const client = await network.open(call)
      if (client === undefined) return { kind: 'close' }
      const line = await new Promise<string | undefined>((resolve) => {
        lines.add(resolve)
        talk(client, call, () => setImmediate(() => setImmediate(() => resolve(undefined))))
      })
      lines.clear()
      client.destroy()
      return line === undefined ? { kind: 'close' } : resultOf(line)
    },
  }
}

function resultOf(line: string): LiveResult {
  const [, code = '', details = '', cluster = '', host = ''] =
    /^code=(\S+) details=(\S+) cluster=(.*) host=(\S+)$/m.exec(line) ?? []
  if (host !== '-' && (details === 'via_upstream' || code === '0')) return { kind: 'forward', cluster, endpoint: host }
  return code === '0' ? { kind: 'close' } : { kind: 'reply', status: Number(code), details }
}

function talk(client: Connection, { method, host, path, headers }: SeededCall, closed: () => void): void {
  client.handle({
    // The answer has come: a TCP proxy's story ends with the connection.
    onData: () => client.end(),
    onEnd: () => client.end(),
    onDrain() {},
    onClose: closed,
  })
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `host: ${host}`,
    'connection: close',
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ]
  client.write(Buffer.from(`${lines.join('\r\n')}\r\ncontent-length: 0\r\n\r\n`))
}

interface CaptureNetwork extends Network {
  /** As if redirected by iptables; undefined: nobody listens there. */
  open(call: SeededCall): Promise<Connection | undefined>
}

const APP = { address: 'app', port: 1 }
const CAPTURE_OUT = 15001
const CAPTURE_IN = 15006

function createCaptureNetwork(): CaptureNetwork {
  const inner = createMemoryNetwork()
  const ports = new Map<number, string>()
  let destination: SeededCall['destination'] | undefined
  void inner.listen({ address: APP }, answerAll)
  return {
    async listen(options, accept) {
      ports.set(options.address.port, options.address.address)
      return inner.listen(options, (connection) => {
        accept(
          destination === undefined
            ? connection
            : Object.defineProperty(connection, 'originalDestination', { value: destination }),
        )
      })
    },
    connect: (options: ConnectOptions) => inner.connect({ ...options, address: APP }),
    async open(call) {
      const captured = ports.has(CAPTURE_OUT)
      const port = captured ? (call.inbound ? CAPTURE_IN : CAPTURE_OUT) : call.destination.port
      const address = ports.get(port)
      if (address === undefined) return undefined
      destination = captured ? call.destination : undefined
      const target = captured || address !== '0.0.0.0' ? { address, port } : { address: call.destination.address, port }
      return inner.connect({ address: target, timeoutMs: 0 })
    },
  }
}

function answerAll(connection: Connection): void {
  let held = ''
  connection.handle({
    onData(bytes) {
      held += Buffer.from(bytes).toString('latin1')
      for (let end = held.indexOf('\r\n\r\n'); end >= 0; end = held.indexOf('\r\n\r\n')) {
        held = held.slice(end + 4)
        connection.write(Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'))
      }
    },
    onEnd: () => connection.end(),
    onDrain() {},
    onClose() {},
  })
}

/** Static resources from dynamic ones: routes and endpoints stand where they were referred to, and upstreams speak HTTP/1.1. */
export function inlined({ listeners, routes, clusters, endpoints }: Resources): Resources {
  const tables = new Map(routes.map((table) => [textAt(table, 'name'), table]))
  const assignments = new Map(endpoints.map((each) => [textAt(each, 'cluster_name'), each]))
  return {
    routes: [],
    endpoints: [],
    listeners: listeners.map((listener) => mapFilters(listener, (config) => inlineRoutes(config, tables))),
    clusters: clusters.map((cluster) => inlineEndpoints(cluster, assignments)),
  }
}

function inlineRoutes(config: Json, tables: ReadonlyMap<string, Json>): Json {
  const { rds, ...rest } = config
  const table = tables.get(textAt(rds, 'route_config_name'))
  if (rds === undefined) return config
  return { ...rest, route_config: table ?? { name: textAt(rds, 'route_config_name'), virtual_hosts: [] } }
}

function inlineEndpoints(cluster: Json, assignments: ReadonlyMap<string, Json>): Json {
  const { typed_extension_protocol_options: _, ...rest } = cluster
  if (rest['type'] !== 'EDS') return rest
  const name = textAt(mapAt(rest, 'eds_cluster_config'), 'service_name') || textAt(rest, 'name')
  const { eds_cluster_config: __, ...other } = rest as Record<string, unknown>
  return { ...other, type: 'STATIC', load_assignment: assignments.get(name) ?? { cluster_name: name } }
}

const LOGGED = new Set(['HttpConnectionManager', 'TcpProxy'])

function withLogs(listener: Json): Json {
  return mapFilters(listener, (config) =>
    LOGGED.has(textAt(config, '@type').split('.').at(-1) ?? '') ? { ...config, access_log: [LOG] } : config,
  )
}

function mapFilters(listener: Json, change: (config: Json) => Json): Json {
  const chain = (each: Json): Json => ({
    ...each,
    filters: listAt(each, 'filters').map((filter) => ({ ...filter, typed_config: change(mapAt(filter, 'typed_config') ?? {}) })),
  })
  const fallback = mapAt(listener, 'default_filter_chain')
  return {
    ...listener,
    filter_chains: listAt(listener, 'filter_chains').map(chain),
    ...(fallback && { default_filter_chain: chain(fallback) }),
  }
}
