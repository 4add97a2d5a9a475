import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { OriginIndex } from '@heddle/config-model'
import { type Diagnostic, type MetricsRegistry, PROMETHEUS_CONTENT_TYPE, renderPrometheus, type Watch } from '@heddle/runtime'
import { type NodeSyncStatus, syncStatus, type XdsServer } from '@heddle/xds-server'
import { envoyConfigDump } from './config-dump.js'
import type { ControlPlane } from './control-plane.js'
import { adsz, connections, nodeIdOf, sentOf } from './debug-clients.js'
import { configz, endpointz, endpointzBrief } from './debug-config.js'
import { type TracedRefusal, traceRefusals } from './refusals.js'

export interface DebugSubject {
  readonly controlPlane: ControlPlane
  readonly diagnostics: Watch<readonly Diagnostic[]>
  readonly metrics: MetricsRegistry
  /** Names the lines behind what proxies refuse; default: nothing is named. */
  readonly origins?: OriginIndex
  /** The roots of this mesh as a SPIFFE bundle; default: it has none. */
  readonly bundle?: Watch<string>
}

export interface DebugServer {
  readonly address: string
  close(): Promise<void>
}

interface Page {
  readonly help: string
  readonly contentType?: string
  /** Undefined: there is no such thing. */
  body(subject: DebugSubject, query: URLSearchParams): string | undefined
}

/** A page on one proxy, which ?proxyID= names by its node id or as `pod.namespace`. */
function ofProxy(of: (xds: XdsServer, nodeId: string) => unknown): Page['body'] {
  return ({ controlPlane: { xds } }, query) => {
    const nodeId = nodeIdOf(xds, query.get('proxyID') ?? '')
    return nodeId === undefined ? undefined : json(of(xds, nodeId) ?? [])
  }
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`

const PAGES: Readonly<Record<string, Page>> = {
  '/ready': { help: '200 while it serves', contentType: 'text/plain', body: () => 'ready\n' },
  '/debug/list': { help: 'these pages', body: () => json(Object.entries(PAGES).map(([path, { help }]) => ({ path, help }))) },
  '/debug/syncz': {
    help: 'connected proxies and what they have acknowledged',
    body: ({ controlPlane, origins }) => json({ settled: controlPlane.settled, proxies: proxyStatus(controlPlane, origins) }),
  },
  '/debug/config_dump': {
    help: 'what the proxy ?proxyID=pod.namespace was sent, as Envoy shows it; secrets redacted',
    body: ofProxy(envoyConfigDump),
  },
  '/debug/edsz': {
    help: 'the endpoints that the proxy ?proxyID=pod.namespace was sent',
    body: ofProxy((xds, id) => sentOf(xds, id, 'eds')),
  },
  '/debug/ndsz': {
    help: 'the DNS names that the agent of ?proxyID=pod.namespace was sent',
    body: ofProxy((xds, id) => sentOf(xds, id, 'NameTable')),
  },
  '/debug/adsz': {
    help: 'connected proxies, what they say of themselves and what they follow',
    body: ({ controlPlane }) => json(adsz(controlPlane.xds)),
  },
  '/debug/connections': { help: 'connected proxies', body: ({ controlPlane }) => json(connections(controlPlane.xds)) },
  '/debug/registryz': {
    help: 'services of all registries',
    body: ({ controlPlane: { snapshots } }) => json(snapshots.current.services),
  },
  '/debug/endpointz': {
    help: 'endpoints of all services; ?brief: a line each',
    body: ({ controlPlane: { snapshots } }, query) =>
      query.has('brief') ? endpointzBrief(snapshots.current) : json(endpointz(snapshots.current)),
  },
  '/debug/configz': {
    help: 'valid objects of Istio and the Gateway API, and what follows from them',
    body: ({ controlPlane: { snapshots } }) => json(configz(snapshots.current)),
  },
  '/debug/mesh': {
    help: 'the mesh config in force',
    body: ({ controlPlane: { snapshots } }) => json(snapshots.current.meshConfig),
  },
  '/debug/diagnostics': {
    help: 'what is wrong with the configuration, by file and line',
    body: ({ diagnostics }) => json(diagnostics.current),
  },
  '/spiffe-bundle': {
    help: 'the roots of this mesh, for other trust domains (SPIFFE Trust Domain and Bundle)',
    body: ({ bundle }) => bundle?.current ?? json({ keys: [] }),
  },
  '/metrics': {
    help: 'Prometheus metrics',
    contentType: PROMETHEUS_CONTENT_TYPE,
    body: ({ metrics }) => renderPrometheus(metrics),
  },
}

/** A row of `heddle proxy-status`. */
interface ProxyRow extends NodeSyncStatus {
  readonly cluster_id: string
  readonly proxy_version: string
  readonly istiod: string
  /** Each resource that the proxy refuses, with the objects and lines behind it. */
  readonly refusals: readonly Omit<TracedRefusal, 'nodeId' | 'streamId'>[]
}

/** Streams with what their nodes say of themselves. */
function proxyStatus(controlPlane: ControlPlane, origins: OriginIndex | undefined): ProxyRow[] {
  const { xds } = controlPlane
  const metadata = new Map([...xds.status()].map((stream) => [stream.streamId, stream.node?.metadata]))
  const refusals = origins === undefined ? [] : traceRefusals(controlPlane, origins)
  return syncStatus(xds).map((row) => ({
    ...row,
    cluster_id: String(metadata.get(row.stream_id)?.['CLUSTER_ID'] ?? 'Kubernetes'),
    proxy_version: String(metadata.get(row.stream_id)?.['ISTIO_VERSION'] ?? ''),
    istiod: xds.identifier,
    refusals: refusals
      .filter(({ streamId }) => streamId === row.stream_id)
      .map(({ typeUrl, resource, message, sources }) => ({ typeUrl, resource, message, sources })),
  }))
}

/**
 * Serves readiness, metrics and debug pages over HTTP. It asks nobody who they are: what is below `/debug/` tells of every proxy,
 * and is for callers of the same machine only (CVE-2026-31838), as a port that is forwarded makes them.
 */
export function serveDebugPages(address: string, subject: DebugSubject): Promise<DebugServer> {
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const [path = '/', query] = (request.url ?? '/').split('?')
    if (path.startsWith('/debug') && !isLoopback(request.socket.remoteAddress)) {
      response.writeHead(403).end('debug pages are for callers of this machine only: forward the port\n')
      return
    }
    const page = PAGES[path === '/debug' ? '/debug/list' : path]
    const body = page?.body(subject, new URLSearchParams(query))
    if (page === undefined) response.writeHead(404).end('not found; /debug/list tells what there is\n')
    else if (body === undefined)
      response.writeHead(404).end('?proxyID= names no proxy that is connected; /debug/connections tells which are\n')
    else response.writeHead(200, { 'content-type': page.contentType ?? 'application/json' }).end(body)
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

function isLoopback(address = ''): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./.test(address)
}

/** `host:port`, `[::1]:80`, `:80` (every address). */
export function splitAddress(address: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(address)
  const port = Number(match?.[3])
  if (match === null || port > 65_535) throw new Error(`${JSON.stringify(address)} is not host:port`)
  return { host: match[1] ?? (match[2] === '' || match[2] === undefined ? '0.0.0.0' : match[2]), port }
}
