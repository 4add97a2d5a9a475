import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type Diagnostic, type MetricsRegistry, PROMETHEUS_CONTENT_TYPE, renderPrometheus, type Watch } from '@heddle/runtime'
import { configDump, syncStatus } from '@heddle/xds-server'
import type { ControlPlane } from './control-plane.js'

export interface DebugSubject {
  readonly controlPlane: ControlPlane
  readonly diagnostics: Watch<readonly Diagnostic[]>
  readonly metrics: MetricsRegistry
}

export interface DebugServer {
  readonly address: string
  close(): Promise<void>
}

interface Page {
  readonly help: string
  readonly contentType?: string
  body(subject: DebugSubject, query: URLSearchParams): string
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`

const PAGES: Readonly<Record<string, Page>> = {
  '/ready': { help: '200 while it serves', contentType: 'text/plain', body: () => 'ready\n' },
  '/debug/list': { help: 'these pages', body: () => json(Object.entries(PAGES).map(([path, { help }]) => ({ path, help }))) },
  '/debug/syncz': {
    help: 'connected proxies and what they have acknowledged',
    body: ({ controlPlane }) => json({ settled: controlPlane.settled, proxies: syncStatus(controlPlane.xds) }),
  },
  '/debug/config_dump': {
    help: 'what the node ?proxyID=… was sent; secrets redacted',
    body: ({ controlPlane }, query) => json(configDump(controlPlane.xds, query.get('proxyID') ?? '')),
  },
  '/debug/diagnostics': {
    help: 'what is wrong with the configuration, by file and line',
    body: ({ diagnostics }) => json(diagnostics.current),
  },
  '/metrics': {
    help: 'Prometheus metrics',
    contentType: PROMETHEUS_CONTENT_TYPE,
    body: ({ metrics }) => renderPrometheus(metrics),
  },
}

/** Serves readiness, metrics and debug pages over HTTP. Bind it to a trusted network: it asks nobody who they are. */
export function serveDebugPages(address: string, subject: DebugSubject): Promise<DebugServer> {
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const [path = '/', query] = (request.url ?? '/').split('?')
    const page = PAGES[path]
    if (page === undefined) return void response.writeHead(404).end('not found; /debug/list tells what there is\n')
    response
      .writeHead(200, { 'content-type': page.contentType ?? 'application/json' })
      .end(page.body(subject, new URLSearchParams(query)))
  })
  const { host, port } = splitAddress(address)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      const bound = server.address()
      const boundPort = typeof bound === 'object' && bound !== null ? bound.port : port
      resolve({
        address: `${host}:${boundPort}`,
        close: () =>
          new Promise((done) => {
            server.close(() => done())
            server.closeAllConnections()
          }),
      })
    })
  })
}

/** `host:port`, `[::1]:80`, `:80` (every address). */
export function splitAddress(address: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(address)
  const port = Number(match?.[3])
  if (match === null || port > 65_535) throw new Error(`${JSON.stringify(address)} is not host:port`)
  return { host: match[1] ?? (match[2] === '' || match[2] === undefined ? '0.0.0.0' : match[2]), port }
}
