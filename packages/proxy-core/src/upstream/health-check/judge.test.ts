import { HealthCheckResponse } from '@heddle/xds-types/grpc/health/v1'
import { describe, expect, it } from 'vitest'
import { createHeaderMap } from '../../http/header-map.js'
import { frameMessage } from '../grpc-messages.js'
import type { ProbeAnswer } from './exchange-probe.js'
import { grpcCheckRequest, judgeGrpcCheck } from './grpc-probe.js'
import type { HttpHealthCheck } from './health-check.js'
import { httpCheckRequest, judgeHttpCheck } from './http-probe.js'
import { holdsInOrder } from './payload.js'

const bytes = (text: string): Uint8Array => Buffer.from(text)
const check: HttpHealthCheck = {
  ...{ kind: 'HTTP', host: 'hc.example', path: '/healthz', method: 'GET', http2: false, body: undefined, receive: [] },
  responseBufferBytes: 1024,
  addHeaders: (headers) => headers.set('x-check', 'yes'),
  isExpected: (status) => status === 200,
  isRetriable: (status) => status === 429,
}
const answer = (status: number, headers: Readonly<Record<string, string>> = {}, body = ''): ProbeAnswer => ({
  ...{ status, trailers: undefined, body: bytes(body) },
  headers: createHeaderMap(Object.entries(headers)),
})

describe('an HTTP check', () => {
  it('asks as Envoy does, for the host of the endpoint before the one of the check', () => {
    const request = httpCheckRequest(check, 'cluster', '', false)
    expect(request).toMatchObject({ method: 'GET', authority: 'hc.example', path: '/healthz', scheme: 'http' })
    expect(request.headers.get('user-agent')).toBe('Envoy/HC')
    expect(request.headers.get('x-check')).toBe('yes')
    expect(httpCheckRequest(check, 'cluster', 'own.example', true)).toMatchObject({ authority: 'own.example', scheme: 'https' })
    expect(httpCheckRequest({ ...check, host: '' }, 'cluster', '', false).authority).toBe('cluster')
  })

  it.each([
    ['200', answer(200), { ok: true, degraded: false }],
    ['degraded', answer(200, { 'x-envoy-degraded': '' }), { ok: true, degraded: true }],
    ['503', answer(503), { ok: false, type: 'ACTIVE', retriable: false }],
    ['a retriable status', answer(429), { ok: false, retriable: true }],
    ['an order to stay away', answer(200, { 'x-envoy-immediate-health-check-fail': '1' }), { ok: false, excluded: true }],
  ])('%s', (_, given, want) => {
    expect(judgeHttpCheck(check, given)).toMatchObject(want)
  })

  it('wants the body and the service that it was told', () => {
    const strict = { ...check, receive: [bytes('ok'), bytes('go')], matchesService: (name: string) => name === 'shop' }
    const named = { 'x-envoy-upstream-healthchecked-cluster': 'shop' }
    expect(judgeHttpCheck(strict, answer(200, named, 'ok, go')).ok).toBe(true)
    expect(judgeHttpCheck(strict, answer(200, named, 'go, ok')).ok).toBe(false)
    expect(judgeHttpCheck(strict, answer(200, {}, 'ok, go')).ok).toBe(false)
  })
})

describe('a gRPC check', () => {
  const config = { kind: 'GRPC', service: 'shop', authority: '', addHeaders: () => {} } as const
  const said = (status: 'SERVING' | 'NOT_SERVING', grpcStatus = '0'): ProbeAnswer => ({
    status: 200,
    headers: createHeaderMap([]),
    trailers: createHeaderMap([['grpc-status', grpcStatus]]),
    body: frameMessage(HealthCheckResponse.encode({ status })),
  })

  it('asks grpc.health.v1.Health', () => {
    expect(grpcCheckRequest(config, 'cluster', '', false)).toMatchObject({
      method: 'POST',
      path: '/grpc.health.v1.Health/Check',
      authority: 'cluster',
    })
  })

  it('takes SERVING alone', () => {
    expect(judgeGrpcCheck(said('SERVING')).ok).toBe(true)
    expect(judgeGrpcCheck(said('NOT_SERVING')).ok).toBe(false)
    expect(judgeGrpcCheck(said('SERVING', '14')).ok).toBe(false)
    expect(judgeGrpcCheck({ ...said('SERVING'), status: 503 }).ok).toBe(false)
    expect(judgeGrpcCheck({ ...said('SERVING'), body: Buffer.from([0, 0, 0]) }).ok).toBe(false)
  })
})

it('payloads are found one behind the other', () => {
  expect(holdsInOrder(bytes('abcabc'), [bytes('ab'), bytes('ab')])).toBe(true)
  expect(holdsInOrder(bytes('abc'), [bytes('ab'), bytes('bc')])).toBe(false)
  expect(holdsInOrder(bytes(''), [])).toBe(true)
})
