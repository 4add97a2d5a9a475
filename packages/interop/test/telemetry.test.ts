import { spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server as GrpcServer, ServerCredentials, type ServerReadableStream } from '@grpc/grpc-js'
import {
  AccessLogService,
  type StreamAccessLogsMessage,
  type StreamAccessLogsResponse,
} from '@heddle/xds-types/envoy/service/accesslog/v3'
import { grpcService } from '@heddle/xds-types/grpc'
import { knownTypes } from '@heddle/xds-types/known'
import { afterEach, expect, test } from 'vitest'
import { describeWith } from '../src/cell.js'
import { type CollectedSpan, startCollector } from '../src/collector.js'
import { startEnvoy } from '../src/envoy.js'
import { eventually } from '../src/eventually.js'
import { freePorts } from '../src/free-ports.js'
import { findCollector, findEnvoy, findPromtool, findZipkin } from '../src/tools.js'
import { type HopOptions, hopBootstrap, startHop } from '../src/traced-hop.js'
import { startZipkin } from '../src/zipkin.js'

// Spans, logs and counters as they arrive at who collects them.

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** An app, or a collector, that keeps what it is told. */
async function listen(answer: (headers: IncomingHttpHeaders, body: string) => void): Promise<number> {
  const server: Server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      answer(request.headers, body)
      response.end('ok')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

const OTLP = {
  '@type': 'type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig',
  grpc_service: { envoy_grpc: { cluster_name: 'collector' } },
  service_name: 'shop',
}

function zipkin(collectorHostname: string): object {
  return {
    '@type': 'type.googleapis.com/envoy.config.trace.v3.ZipkinConfig',
    collector_cluster: 'collector',
    collector_endpoint: '/api/v2/spans',
    collector_hostname: collectorHostname,
    collector_endpoint_version: 'HTTP_JSON',
    trace_id_128bit: true,
    shared_span_context: false,
  }
}

/** Each span's parent is the span before it. */
function expectChain(spans: readonly Pick<CollectedSpan, 'traceId' | 'parentId' | 'id'>[], root: string): void {
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1)
  const order = [root]
  for (let i = 0; i < spans.length; i++) order.push(spans.find(({ parentId }) => parentId === order.at(-1))?.id ?? 'nobody')
  expect(order.slice(1)).toEqual([...order.slice(1)].filter((id) => spans.some((span) => span.id === id)))
}

describeWith(findEnvoy(), 'a trace over our proxy, stock Envoy and our proxy again', () => {
  const startHops = async (
    hop: Pick<HopOptions, 'provider' | 'collectorPort' | 'grpc'>,
  ): Promise<{ port: number; seen: IncomingHttpHeaders[] }> => {
    const seen: IncomingHttpHeaders[] = []
    const app = await listen((headers) => seen.push(headers))
    const [first = 0, second = 0, third = 0] = await freePorts(3)
    const envoy = await startEnvoy(
      findEnvoy(),
      hopBootstrap({ ...hop, name: 'middle', port: second, upstreamPort: third, direction: 'INBOUND' }),
    )
    closers.push(() => envoy.close())
    const last = await startHop({ ...hop, name: 'last', port: third, upstreamPort: app, direction: 'INBOUND' })
    closers.push(() => last.close())
    const edge = await startHop({ ...hop, name: 'edge', port: first, upstreamPort: second, direction: 'OUTBOUND' })
    closers.push(() => edge.close())
    return { port: first, seen }
  }

  describeWith(findCollector(), 'to an OpenTelemetry Collector', () => {
    test('three spans, each the child of the one before', async () => {
      const collector = await startCollector(findCollector())
      closers.push(() => collector.close())
      const { port, seen } = await startHops({ provider: OTLP, collectorPort: collector.grpcPort, grpc: true })
      const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
      const headers = { traceparent: `00-${trace}-00f067aa0ba902b7-01`, tracestate: 'shop=1' }
      expect((await fetch(`http://127.0.0.1:${port}/cart?x=1`, { headers })).status).toBe(200)
      const spans = await eventually(
        () => collector.spans,
        (all) => all.length >= 3,
      )
      expect(spans).toHaveLength(3)
      expect(spans.map(({ traceId }) => traceId)).toEqual([trace, trace, trace])
      expectChain(spans, '00f067aa0ba902b7')
      expect(seen[0]?.['traceparent']).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`))
      expect(seen[0]?.['tracestate']).toBe('shop=1')
      // What our spans say is what Envoy's says.
      const of = (node: string) => spans.find(({ tags }) => tags.get('node_id') === node)
      const [edge, middle, last] = ['edge', 'middle', 'last'].map(of)
      expect([edge?.kind, middle?.kind, last?.kind]).toEqual(['Client', 'Server', 'Server'])
      expect(last?.name).toBe(middle?.name)
      expect(edge?.name).toBe(`egress 127.0.0.1:${port}`)
      const telling = (span?: CollectedSpan) => [...(span?.tags.keys() ?? [])].sort()
      expect(telling(last)).toEqual(telling(middle))
      for (const tag of [
        'http.method',
        'http.status_code',
        'response_flags',
        'upstream_cluster',
        'zone',
        'component',
        'http.protocol',
      ])
        expect(last?.tags.get(tag)).toBe(middle?.tags.get(tag))
    })

    test('a request that nobody traces leaves no span, and its decision goes on', async () => {
      const collector = await startCollector(findCollector())
      closers.push(() => collector.close())
      const { port, seen } = await startHops({ provider: OTLP, collectorPort: collector.grpcPort, grpc: true })
      const headers = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00' }
      await fetch(`http://127.0.0.1:${port}/`, { headers })
      expect(seen[0]?.['traceparent']).toMatch(/-00$/)
      for (const close of closers.splice(1).reverse()) await close()
      expect(collector.spans).toEqual([])
    })
  })

  // A server that takes seconds to start, and Java: for --soak.
  if (process.env['HEDDLE_SOAK'] === '1')
    describeWith(findZipkin(), 'soak: to a real Zipkin server', () => {
      test('one trace of three spans, each the child of the one before', { timeout: 180_000 }, async () => {
        const server = await startZipkin(findZipkin())
        closers.push(() => server.close())
        const { port } = await startHops({
          provider: zipkin(`127.0.0.1:${server.port}`),
          collectorPort: server.port,
          grpc: false,
        })
        const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
        const headers = { 'x-b3-traceid': trace, 'x-b3-spanid': '00f067aa0ba902b7', 'x-b3-sampled': '1' }
        await fetch(`http://127.0.0.1:${port}/cart`, { headers })
        const spans = await eventually(
          () => server.trace(trace),
          (all) => all.length >= 3,
        )
        expectChain(
          spans.map((span) => ({ ...span, parentId: span.parentId ?? '' })),
          '00f067aa0ba902b7',
        )
        expect(spans.map(({ localEndpoint }) => localEndpoint.serviceName).sort()).toEqual(['edge', 'last', 'middle'])
        expect(spans.map(({ tags }) => tags['http.status_code'])).toEqual(['200', '200', '200'])
      })
    })

  test('to a Zipkin collector: the same by B3', async () => {
    const spans: { traceId: string; id: string; parentId?: string; kind: string; localEndpoint: { serviceName: string } }[] = []
    const collectorPort = await listen((_, body) => spans.push(...JSON.parse(body)))
    const { port, seen } = await startHops({ provider: zipkin(`127.0.0.1:${collectorPort}`), collectorPort, grpc: false })
    const headers = { 'x-b3-traceid': '4bf92f3577b34da6a3ce929d0e0e4736', 'x-b3-spanid': '00f067aa0ba902b7', 'x-b3-sampled': '1' }
    await fetch(`http://127.0.0.1:${port}/`, { headers })
    await eventually(
      () => spans.length,
      (count) => count >= 3,
    )
    expectChain(
      spans.map((span) => ({ ...span, parentId: span.parentId ?? '' })),
      '00f067aa0ba902b7',
    )
    expect(spans.map(({ localEndpoint }) => localEndpoint.serviceName).sort()).toEqual(['edge', 'last', 'middle'])
    expect(seen[0]).toMatchObject({ 'x-b3-traceid': headers['x-b3-traceid'], 'x-b3-sampled': '1' })
  })
})

describeWith(findCollector(), 'an access log at an OpenTelemetry Collector', () => {
  test('has every request, with its trace', async () => {
    const collector = await startCollector(findCollector())
    closers.push(() => collector.close())
    const app = await listen(() => {})
    const [port = 0] = await freePorts(1)
    const log = {
      name: 'otlp',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig',
        common_config: {
          log_name: 'shop',
          grpc_service: { envoy_grpc: { cluster_name: 'collector' } },
          transport_api_version: 'V3',
        },
        body: { string_value: '%REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE%' },
      },
    }
    const ports = { port, upstreamPort: app, collectorPort: collector.grpcPort }
    const hop = await startHop({ ...ports, name: 'edge', direction: 'INBOUND', provider: OTLP, grpc: true, accessLogs: [log] })
    for (let i = 0; i < 20; i++) await (await fetch(`http://127.0.0.1:${port}/${i}`)).text()
    await hop.close()
    const logs = await eventually(
      () => collector.logs,
      (all) => all.length >= 20,
    )
    expect(logs.map(({ body }) => body)).toEqual(Array.from({ length: 20 }, (_, i) => `GET /${i} 200`))
    // Spans go another way, and may come later.
    const spans = await eventually(
      () => collector.spans,
      (all) => all.length >= 20,
    )
    const traces = new Set(spans.map(({ traceId }) => traceId))
    expect(logs.every(({ traceId }) => traces.has(traceId))).toBe(true)
  })
})

test('the access log service gets every record, over one stream', async () => {
  const messages: StreamAccessLogsMessage[] = []
  const server = new GrpcServer()
  server.addService(grpcService(AccessLogService, { Buffer, registry: knownTypes }), {
    StreamAccessLogs(call: ServerReadableStream<StreamAccessLogsMessage, StreamAccessLogsResponse>) {
      call.on('data', (message) => messages.push(message))
    },
  })
  const collectorPort = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  )
  closers.push(() => server.forceShutdown())
  const app = await listen(() => {})
  const [port = 0] = await freePorts(1)
  const log = {
    name: 'als',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig',
      common_config: {
        log_name: 'shop',
        grpc_service: { envoy_grpc: { cluster_name: 'collector' } },
        transport_api_version: 'V3',
      },
    },
  }
  const ports = { port, upstreamPort: app, collectorPort }
  const hop = await startHop({ ...ports, name: 'edge', direction: 'INBOUND', provider: OTLP, grpc: true, accessLogs: [log] })
  for (let i = 0; i < 50; i++) await (await fetch(`http://127.0.0.1:${port}/${i}`)).text()
  await hop.close()
  const entries = await eventually(
    () => messages.flatMap(({ http_logs: logs }) => logs?.log_entry ?? []),
    (all) => all.length >= 50,
  )
  expect(entries.map(({ request }) => request?.path)).toEqual(Array.from({ length: 50 }, (_, i) => `/${i}`))
  expect(messages.filter(({ identifier }) => identifier !== undefined)).toHaveLength(1)
  expect(messages[0]?.identifier).toMatchObject({ log_name: 'shop', node: { id: 'edge' } })
})

describeWith(findPromtool(), 'promtool', () => {
  describeWith(findEnvoy(), 'beside stock Envoy', () => {
    test('reads our metrics, and finds fault only with names that are Envoy’s', async () => {
      const app = await listen(() => {})
      const [port = 0, envoyPort = 0] = await freePorts(2)
      const hop = { name: 'edge', upstreamPort: app, collectorPort: 1, direction: 'INBOUND', provider: OTLP, grpc: true } as const
      const envoy = await startEnvoy(findEnvoy(), hopBootstrap({ ...hop, port: envoyPort }))
      closers.push(() => envoy.close())
      const ours = await startHop({
        ...hop,
        port,
        bootstrap: { admin: { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } } },
      })
      closers.push(() => ours.close())
      for (const each of [port, envoyPort]) await (await fetch(`http://127.0.0.1:${each}/`)).text()
      const adminPort = ours.adminAddress?.port ?? 0
      const [mine, envoys] = await Promise.all(
        [`127.0.0.1:${adminPort}`, envoy.admin].map(async (admin) =>
          checkMetrics(await (await fetch(`http://${admin}/stats/prometheus`)).text()),
        ),
      )
      expect(mine?.status).toBe(envoys?.status)
      expect(mine?.complaints.length).toBeGreaterThan(0)
      for (const complaint of mine?.complaints ?? [])
        expect(complaint).toMatch(/^envoy_\w+ (?:non-)?(?:counter )?metrics? (?:should|names should)/)
      const kinds = (complaints: readonly string[] = []) => new Set(complaints.map((line) => line.replace(/^\S+ /, '')))
      for (const kind of kinds(mine?.complaints)) expect(kinds(envoys?.complaints)).toContain(kind)
    })
  })
})

/** `promtool check metrics`: 0 clean, 3 a lint, 1 no metrics at all. */
function checkMetrics(text: string): { readonly status: number | null; readonly complaints: readonly string[] } {
  const { status, stderr } = spawnSync(findPromtool().path, ['check', 'metrics'], { input: text, encoding: 'utf8' })
  return { status, complaints: stderr.split('\n').filter((line) => line !== '') }
}

test('statsd gets counters, gauges and timers over UDP; a sink of a user’s own gets the same', async () => {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  closers.push(() => socket.close())
  let heard = ''
  socket.on('message', (datagram) => {
    heard += `${datagram.toString()}\n`
  })
  const app = await listen(() => {})
  const [port = 0] = await freePorts(1)
  const address = { socket_address: { protocol: 'UDP', address: '127.0.0.1', port_value: socket.address().port } }
  const sink = {
    name: 'envoy.stat_sinks.statsd',
    typed_config: { '@type': 'type.googleapis.com/envoy.config.metrics.v3.StatsdSink', address, prefix: 'mesh' },
  }
  const own: string[] = []
  const hop = await startHop(
    {
      ...{ name: 'edge', port, upstreamPort: app, collectorPort: 1, direction: 'INBOUND', provider: OTLP, grpc: true },
      bootstrap: { stats_sinks: [sink], stats_flush_interval: '0.100s' },
    },
    { statsSinks: [{ flush: (changes) => own.push(...changes.map(({ name }) => name)) }] },
  )
  for (let i = 0; i < 3; i++) await (await fetch(`http://127.0.0.1:${port}/`)).text()
  await hop.close()
  const counted = (): number =>
    [...heard.matchAll(/^mesh\.cluster\.app\.upstream_rq_total:(\d+)\|c$/gm)].reduce((sum, [, by]) => sum + Number(by), 0)
  await eventually(counted, (count) => count >= 3)
  expect(counted()).toBe(3)
  expect(heard).toMatch(/^mesh\.cluster\.app\.upstream_rq_time:[\d.]+\|ms/m)
  expect(heard).toMatch(/^mesh\.cluster\.app\.membership_total:1\|g$/m)
  expect(own).toContain('cluster.app.upstream_rq_total')
})
