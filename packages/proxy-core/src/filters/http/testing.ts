import { createMetricsRegistry, type Result } from '@heddle/runtime'
import { createFakeClock, createMemoryLogger, createSeededRandom, type MemoryLogger } from '@heddle/runtime/testing'
import { emptyBody } from '../../http/body.js'
import type { FilterDeps, HttpFilter, HttpFilterFactory, HttpStream } from '../../http/filter.js'
import { createHeaderMap } from '../../http/header-map.js'
import type { HttpRequest, HttpResponse } from '../../http/message.js'
import { emptyStreamInfo } from '../../http/new-stream-info.js'
import type { TlsInfo } from '../../net/connection.js'

/** Helpers of the filters' own tests. */

export const logger: MemoryLogger = createMemoryLogger()
export const NODE: Readonly<Record<string, unknown>> = {
  WORKLOAD_NAME: 'apps-v1',
  NAMESPACE: 'nolen',
  CLUSTER_ID: 'Kubernetes',
  LABELS: { app: 'apps', version: 'v1', 'service.istio.io/canonical-name': 'apps' },
}

export function deps(rest: Partial<FilterDeps> = {}): FilterDeps {
  const node = { id: 'sidecar~10.0.0.1~apps-v1.nolen~nolen.svc.cluster.local', cluster: 'apps', metadata: NODE }
  return {
    clock: createFakeClock(),
    random: createSeededRandom(1),
    logger,
    node,
    stats: createMetricsRegistry(),
    direction: 'INBOUND',
    ...rest,
  }
}

export interface StreamOptions {
  headers?: Record<string, string>
  method?: string
  path?: string
  perRoute?: unknown
  /** Of all levels, the most specific first. */
  perRoutes?: readonly unknown[]
  /** Of the route that is found; by default there is none. */
  kind?: 'forward' | 'reply' | undefined
  tls?: Partial<TlsInfo>
}

export function stream(options: StreamOptions = {}): HttpStream {
  const { headers = {}, method = 'GET', path = '/', perRoute, kind, tls } = options
  const { perRoutes = perRoute === undefined ? [] : [perRoute] } = options
  const request: HttpRequest = {
    method,
    scheme: 'http',
    authority: 'apps',
    path,
    protocol: 'HTTP/1.1',
    headers: createHeaderMap(Object.entries(headers)),
    body: emptyBody,
  }
  const info = Object.assign(emptyStreamInfo(), { method, path, authority: 'apps', status: 200 })
  Object.assign(info, { downstreamRemote: '10.0.0.9:1234', bytesReceived: 3, bytesSent: 5 })
  const connection = { remote: { address: '10.0.0.9', port: 1234 }, local: { address: '10.0.0.1', port: 8080 }, tls }
  return {
    request,
    info,
    connection,
    route: kind && { kind },
    clearRoute: () => {},
    onBroken: () => {},
    perRouteConfig: () => perRoutes[0],
    perRouteConfigs: () => perRoutes,
  } as unknown as HttpStream
}

export function configured<C>(
  factory: HttpFilterFactory<C>,
  json: object,
  own: FilterDeps = deps(),
): (stream: HttpStream) => HttpFilter {
  const decoded = factory.decode(json as Record<string, unknown>, 'typed_config')
  return factory.create(must(decoded), own, 'filter')
}

export function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  return result.value
}

export const run = (
  create: (stream: HttpStream) => HttpFilter,
  asked: HttpStream,
): ReturnType<NonNullable<HttpFilter['onRequest']>> => create(asked).onRequest?.(asked.request, asked)
export const response = (headers: Record<string, string> = {}): HttpResponse => ({
  status: 200,
  headers: createHeaderMap(Object.entries(headers)),
  body: emptyBody,
})
