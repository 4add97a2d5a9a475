import { request } from 'node:http'
import { describe, expect, test } from 'vitest'
import { createProxy } from '../src/index.js'
import { freePort, httpManager, later, listener, routes, staticCluster, until, upstream } from './support.js'

// spawn_upstream_span, which istiod sets for gateways: names, parents and tags are those of stock Envoy 1.40.

interface ZipkinSpan {
  readonly id: string
  readonly parentId?: string
  readonly kind: string
  readonly name: string
  readonly tags: Readonly<Record<string, string>>
}

interface Traced {
  /** The spans of one request, so many, its own first, those of attempts as they began. */
  spansOf(count: number, path: string, headers?: Readonly<Record<string, string>>): Promise<readonly ZipkinSpan[]>
  ask(path: string, headers?: Readonly<Record<string, string>>): Promise<void>
  /** What the app was told of, attempt by attempt. */
  readonly told: { readonly span: unknown; readonly parent: unknown; readonly sampled: unknown }[]
  /** Spans that ever came. */
  reported(): number
}

async function start(tracing: object = {}): Promise<Traced> {
  const spans: (ZipkinSpan & { readonly timestamp: number })[] = []
  const told: Traced['told'] = []
  let failures = 1
  let reported = 0
  const app = await upstream(({ url = '', headers }, response) => {
    told.push({ span: headers['x-b3-spanid'], parent: headers['x-b3-parentspanid'], sampled: headers['x-b3-sampled'] })
    if (url === '/timeout') return
    if (url === '/retry') response.statusCode = failures-- > 0 ? 503 : 200
    if (url === '/grpc') response.setHeader('content-type', 'application/grpc').setHeader('grpc-status', '7')
    response.end('ok')
  })
  const collector = await upstream((report, response) => {
    const parts: Buffer[] = []
    report.on('data', (part: Buffer) => parts.push(part))
    report.on('end', () => {
      const came: typeof spans = JSON.parse(String(Buffer.concat(parts)))
      spans.push(...came)
      reported += came.length
      response.writeHead(202).end()
    })
  })
  const provider = {
    name: 'zipkin',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.config.trace.v3.ZipkinConfig',
      ...{ collector_cluster: 'collector', collector_endpoint: '/api/v2/spans', collector_endpoint_version: 'HTTP_JSON' },
      shared_span_context: false,
    },
  }
  const custom_tags = [{ tag: 'mine', literal: { value: 'm' } }]
  const retry_policy = { retry_on: '5xx', num_retries: 1 }
  const mirroredTo = (mirror: object): object => ({ cluster: 'app', request_mirror_policies: [mirror] })
  const routing = routes([
    { match: { prefix: '/refused' }, route: { cluster: 'refused' } },
    { match: { prefix: '/timeout' }, route: { cluster: 'app', timeout: '0.1s' } },
    { match: { prefix: '/retry' }, route: { cluster: 'app', retry_policy } },
    { match: { prefix: '/mirrored/refused' }, route: mirroredTo({ cluster: 'refused' }) },
    { match: { prefix: '/mirrored/nobody' }, route: mirroredTo({ cluster: 'nobody' }) },
    { match: { prefix: '/mirrored/unsampled' }, route: mirroredTo({ cluster: 'app', trace_sampled: false }) },
    { match: { prefix: '/mirrored' }, route: mirroredTo({ cluster: 'app' }) },
    { match: { prefix: '/direct' }, direct_response: { status: 418 } },
    { match: { prefix: '/' }, route: { cluster: 'app' } },
  ])
  const manager = httpManager(
    { route_config: routing },
    { tracing: { spawn_upstream_span: true, provider, custom_tags, ...tracing } },
  )
  const proxy = createProxy({
    bootstrap: {
      layered_runtime: { layers: [{ name: 'static', static_layer: { 'tracing.zipkin.min_flush_spans': 1 } }] },
      static_resources: {
        listeners: [{ ...listener('l', manager), traffic_direction: 'OUTBOUND' }],
        clusters: [
          staticCluster('app', [app]),
          staticCluster('collector', [collector]),
          staticCluster('refused', [await freePort()]),
          staticCluster('nobody', []),
        ],
      },
    },
  })
  await proxy.start()
  later(() => proxy.close())
  const port = proxy.listeners[0]?.address.port ?? 0
  const ask = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<void> =>
    new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port, path, headers: { host: 'shop.example', ...headers }, agent: false as const }
      const asked = request(options, (answer) => answer.resume().on('end', resolve))
      asked.on('error', reject)
      asked.end()
    })
  return {
    ask,
    told,
    reported: () => reported,
    async spansOf(count, path, headers) {
      spans.length = told.length = 0
      await ask(path, headers)
      await until('the spans of the request', () => spans.length >= count)
      return [...spans].sort((a, b) => (a.kind === 'SERVER' ? -1 : b.kind === 'SERVER' ? 1 : a.timestamp - b.timestamp))
    },
  }
}

describe('each attempt is a span of its own', () => {
  test('under that of the request, and what the upstream is told of', async () => {
    const { spansOf, told } = await start()
    const [own, attempt, ...more] = await spansOf(2, '/ok')
    expect(more).toEqual([])
    expect(own).toMatchObject({ kind: 'SERVER', name: 'shop.example' })
    expect(attempt).toMatchObject({ kind: 'CLIENT', name: 'router app egress', parentId: own?.id })
    expect(told).toMatchObject([{ span: attempt?.id, parent: own?.id }])
    const address = attempt?.tags['upstream_address']
    expect(attempt?.tags).toEqual({
      ...{ component: 'proxy', 'http.protocol': 'HTTP/1.1', 'http.status_code': '200', mine: 'm', response_flags: '-' },
      ...{ 'peer.address': address, upstream_address: address, upstream_cluster: 'app', 'upstream_cluster.name': 'app' },
    })
  })

  test('those that are retried, too', async () => {
    const { spansOf, told } = await start()
    const [own, first, second, ...more] = await spansOf(3, '/retry')
    expect(more).toEqual([])
    expect(told).toMatchObject([first, second].map((span) => ({ span: span?.id, parent: own?.id })))
    expect(first?.tags).toMatchObject({ 'http.status_code': '503', error: 'true', canceled: 'true' })
    expect(second?.tags).toMatchObject({ 'http.status_code': '200', 'retry.count': '1' })
    expect(second?.tags).not.toHaveProperty('canceled')
  })

  test('those that come to nothing', async () => {
    const { spansOf } = await start()
    const [, refused] = await spansOf(2, '/refused')
    expect(refused?.tags).toMatchObject({
      ...{ 'http.protocol': '-', 'http.status_code': '0', error: 'true', response_flags: 'UF' },
      'error.reason': 'remote connection failure',
    })
    const [own, late] = await spansOf(2, '/timeout')
    expect(own?.tags).toMatchObject({ response_flags: 'UT' })
    expect(late?.tags).toMatchObject({ 'http.status_code': '0', error: 'true', canceled: 'true', response_flags: '-' })
    expect(await spansOf(1, '/direct')).toHaveLength(1)
  })

  test('with what gRPC says, and under the names that the manager gives them', async () => {
    const { spansOf } = await start({ operation: 'down %REQ(:PATH)%', upstream_operation: 'up %REQ(:PATH)%' })
    const [own, attempt] = await spansOf(2, '/grpc', { 'content-type': 'application/grpc' })
    expect([own?.name, attempt?.name]).toEqual(['down /grpc', 'up /grpc'])
    expect(attempt?.tags).toMatchObject({ 'grpc.status_code': '7', 'http.status_code': '200' })
  })
})

describe('a mirrored request is a span of its own', () => {
  test('below that of the request, and its copy is told of it', async () => {
    const { spansOf, told } = await start({ spawn_upstream_span: false })
    const spans = await spansOf(2, '/mirrored')
    const own = spans.find(({ name }) => name === 'shop.example')
    const mirror = spans.find(({ name }) => name === 'mirror')
    expect(mirror).toMatchObject({ kind: 'CLIENT', parentId: own?.id })
    expect(told).toContainEqual({ span: mirror?.id, parent: own?.id, sampled: '1' })
    expect(told).toContainEqual({ span: own?.id, parent: undefined, sampled: '1' })
    const address = mirror?.tags['upstream_address']
    expect(mirror?.tags).toEqual({
      ...{ component: 'proxy', 'http.protocol': 'HTTP/1.1', 'http.status_code': '200', response_flags: '-' },
      ...{ 'peer.address': address, upstream_address: address, upstream_cluster: 'app', 'upstream_cluster.name': 'app' },
    })
  })

  test('that tells of a copy that came to nothing', async () => {
    const { spansOf } = await start({ spawn_upstream_span: false })
    const mirrorOf = async (path: string): Promise<ZipkinSpan | undefined> =>
      (await spansOf(2, path)).find(({ name }) => name === 'mirror')
    expect((await mirrorOf('/mirrored/refused'))?.tags).toMatchObject({
      ...{ 'http.status_code': '503', response_flags: 'UF', error: 'true', upstream_cluster: 'refused' },
    })
    const nobody = (await mirrorOf('/mirrored/nobody'))?.tags
    expect(nobody).toMatchObject({ 'http.status_code': '503', response_flags: 'UH', error: 'true' })
    expect(nobody).not.toHaveProperty('upstream_address')
  })

  test('unless trace_sampled says otherwise', async () => {
    const { spansOf, told } = await start({ spawn_upstream_span: false })
    expect(await spansOf(1, '/mirrored/unsampled')).toHaveLength(1)
    await until('the copy', () => told.length === 2)
    expect(told.map(({ sampled }) => sampled).sort()).toEqual(['0', '1'])
  })
})

test('what is not sampled is told on, and nobody else hears of it', async () => {
  const { ask, spansOf, told, reported } = await start()
  await ask('/ok', { 'x-b3-sampled': '0' })
  expect(told).toMatchObject([{ span: expect.any(String), sampled: '0' }])
  expect(await spansOf(2, '/ok')).toHaveLength(2)
  expect(reported()).toBe(2)
})
