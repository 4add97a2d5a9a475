import { createMetricsRegistry } from '@heddle/runtime'
import { describe, expect, test } from 'vitest'
import { bodyOf, readBody } from '../../http/body.js'
import { createHeaderMap } from '../../http/header-map.js'
import type { Body, BodySink, HttpResponse } from '../../http/message.js'
import { dottedName } from '../../observe/stat-name.js'
import { grpcHttp1BridgeFilter } from './grpc-http1-bridge.js'
import { grpcStatsFilter } from './grpc-stats.js'
import { grpcWebFilter } from './grpc-web.js'
import { configured, deps, stream } from './testing.js'

const framed = (...messages: readonly string[]): Buffer =>
  Buffer.concat(
    messages.map((message) => {
      const prefix = Buffer.alloc(5)
      prefix.writeUInt32BE(message.length, 1)
      return Buffer.concat([prefix, Buffer.from(message)])
    }),
  )

const withTrailers = (content: Buffer, trailers: Record<string, string>): Body => ({
  length: undefined,
  pause() {},
  resume() {},
  discard() {},
  consume(sink) {
    sink.data(content)
    sink.end(createHeaderMap(Object.entries(trailers)))
  },
})

const answer = (body: Body, headers: Record<string, string> = { 'content-type': 'application/grpc' }): HttpResponse => ({
  status: 200,
  headers: createHeaderMap(Object.entries(headers)),
  body,
})

describe('gRPC-Web', () => {
  const ask = (type: string, body: string | Buffer, accept = '') => {
    const asked = stream({ method: 'POST', headers: { 'content-type': type, ...(accept !== '' && { accept }) } })
    asked.request.body = bodyOf(body)
    return asked
  }

  test('a request becomes gRPC, and the trailers of its answer the last frame', async () => {
    const asked = ask('application/grpc-web+proto', framed('abc'))
    const filter = configured(grpcWebFilter, {})(asked)
    await filter.onRequest?.(asked.request, asked)
    expect([...asked.request.headers]).toEqual([
      ['content-type', 'application/grpc'],
      ['te', 'trailers'],
      ['grpc-accept-encoding', 'identity'],
    ])
    const response = answer(withTrailers(framed('xyz'), { 'grpc-status': '0', 'grpc-message': 'fine' }))
    await filter.onResponse?.(response, asked)
    expect(response.headers.get('content-type')).toBe('application/grpc-web+proto')
    const bytes = Buffer.from(await readBody(response.body, 1000))
    expect(bytes.subarray(0, 8)).toEqual(framed('xyz'))
    expect(bytes[8]).toBe(0x80)
    expect(bytes.subarray(13).toString()).toBe('grpc-status:0\r\ngrpc-message:fine\r\n')
  })

  test('what the client takes stays; without trailers there is no frame of them', async () => {
    const asked = ask('application/grpc-web', framed('abc'))
    asked.request.headers.set('grpc-accept-encoding', 'gzip')
    const filter = configured(grpcWebFilter, {})(asked)
    await filter.onRequest?.(asked.request, asked)
    expect(asked.request.headers.get('grpc-accept-encoding')).toBe('gzip')
    const response = answer(bodyOf(framed('xyz')))
    await filter.onResponse?.(response, asked)
    expect(Buffer.from(await readBody(response.body, 1000))).toEqual(framed('xyz'))
  })

  test('text is base64 both ways, padding behind each frame', async () => {
    const one = framed('a').toString('base64')
    const two = framed('bcd').toString('base64')
    const asked = ask('application/grpc-web-text', `${one}${two}`, 'application/grpc-web-text')
    const filter = configured(grpcWebFilter, {})(asked)
    await filter.onRequest?.(asked.request, asked)
    expect(Buffer.from(await readBody(asked.request.body, 1000))).toEqual(framed('a', 'bcd'))
    const response = answer(withTrailers(framed('xyz'), { 'grpc-status': '0' }))
    await filter.onResponse?.(response, asked)
    const text = Buffer.from(await readBody(response.body, 1000)).toString()
    expect(Buffer.from(text.slice(0, 12), 'base64')).toEqual(framed('xyz'))
  })

  test('text comes off in whatever pieces it comes', () => {
    const asked = ask('application/grpc-web-text', '')
    let sink: BodySink | undefined
    asked.request.body = { length: undefined, pause() {}, resume() {}, discard() {}, consume: (to) => (sink = to) }
    configured(grpcWebFilter, {})(asked).onRequest?.(asked.request, asked)
    const got: Uint8Array[] = []
    asked.request.body.consume({
      data: (chunk) => got.push(Buffer.from(chunk)) > 0,
      end: () => got.push(Buffer.from('.')),
      abort() {},
    })
    for (const character of framed('abcd').toString('base64')) sink?.data(Buffer.from(character))
    sink?.end()
    expect(Buffer.concat(got)).toEqual(Buffer.concat([framed('abcd'), Buffer.from('.')]))
  })

  test.each([
    ['!!!!', 'grpc_base_64_decode_failed'],
    ['AAAAAANhY', 'grpc_base_64_decode_failed_bad_size'],
    ['AAA=AAA', 'grpc_base_64_decode_failed_bad_size'],
  ])('%s is no base64 and refused, even when its beginning has gone upstream: %s', (body, details) => {
    const asked = ask('application/grpc-web-text', body)
    const refused: unknown[] = []
    asked.onBroken = (reply) => refused.push(reply?.status, reply?.details)
    configured(grpcWebFilter, {})(asked).onRequest?.(asked.request, asked)
    const ended: string[] = []
    asked.request.body.consume({ data: () => true, end: () => ended.push('end'), abort: () => ended.push('abort') })
    expect([refused, ended]).toEqual([[400, details], []])
  })

  test('a type in capitals is none of it, as in Envoy', () => {
    const asked = ask('APPLICATION/GRPC-WEB', framed('abc'))
    configured(grpcWebFilter, {})(asked).onRequest?.(asked.request, asked)
    expect(asked.request.headers.get('content-type')).toBe('APPLICATION/GRPC-WEB')
  })

  test('an HTTP error becomes a status', async () => {
    const asked = ask('application/grpc-web', framed('abc'))
    const filter = configured(grpcWebFilter, {})(asked)
    await filter.onRequest?.(asked.request, asked)
    const response = { ...answer(bodyOf('busy'), { 'content-type': 'text/plain' }), status: 503 }
    await filter.onResponse?.(response, asked)
    expect([response.headers.get('grpc-status'), response.headers.get('grpc-message')]).toEqual(['14', 'busy'])
  })
})

describe('the bridge to HTTP/1.1', () => {
  test('trailers become headers, and a status other than 0 is 503', async () => {
    const asked = stream({ method: 'POST', headers: { 'content-type': 'application/grpc' } })
    const response = answer(withTrailers(framed('abc'), { 'grpc-status': '9', 'grpc-message': 'nope' }))
    await configured(grpcHttp1BridgeFilter, {})(asked).onResponse?.(response, asked)
    expect(response.status).toBe(503)
    expect(response.headers.get('grpc-status')).toBe('9')
    expect(response.headers.get('content-length')).toBe('8')
    expect(response.body.length).toBe(8)
  })
})

test('grpc_stats counts calls, statuses and messages, by method where it is asked to', async () => {
  const stats = createMetricsRegistry()
  const asked = stream({ method: 'POST', path: '/pkg.Svc/M', headers: { 'content-type': 'application/grpc' } })
  asked.request.body = bodyOf(framed('a', 'b', 'c'))
  const filter = configured(grpcStatsFilter, { stats_for_all_methods: true }, deps({ stats }))(asked)
  await filter.onRequest?.(asked.request, asked)
  const response = answer(bodyOf(framed('x', 'y')))
  await filter.onResponse?.(response, asked)
  await readBody(asked.request.body, 1000)
  await readBody(response.body, 1000)
  Object.assign(asked.info, { cluster: 'web', grpcStatus: '5' })
  filter.onComplete?.(asked.info)
  const names = ['envoy_cluster_name', 'envoy_grpc_bridge_service', 'envoy_grpc_bridge_method']
  expect(dottedName('envoy_cluster_grpc_failure', names, ['web', 'pkg.Svc', 'M'])).toBe('cluster.web.grpc.pkg.Svc.M.failure')
  expect(dottedName('envoy_cluster_grpc_total', names, ['web', '', ''])).toBe('cluster.web.grpc.total')
  const value = (name: string): number =>
    stats.counter(`envoy_cluster_grpc_${name}`, '', names).labels('web', 'pkg.Svc', 'M').value
  expect(['total', 'failure', '5', 'request_message_count', 'response_message_count'].map(value)).toEqual([1, 1, 1, 3, 2])
})
