import { expect, test } from 'vitest'
import { compileMessage } from './fields.js'
import { compileGrpcService, compileHttpUri } from './grpc-service.js'

test('a gRPC service is a cluster with an authority, metadata and a timeout', () => {
  const service = {
    envoy_grpc: { cluster_name: 'collector', authority: 'otel' },
    timeout: '0.25s',
    initial_metadata: [{ key: 'X-Tenant', value: 'a' }],
  }
  const compiled = compileMessage(service, 'grpc_service', compileGrpcService)
  expect(compiled).toMatchObject({
    ok: true,
    value: { cluster: 'collector', authority: 'otel', timeoutMs: 250, metadata: [['x-tenant', 'a']] },
  })
})

test.each([
  [{}, 'grpc_service'],
  [{ google_grpc: { target_uri: 'a:1' } }, 'grpc_service'],
  [{ envoy_grpc: {} }, 'grpc_service.envoy_grpc.cluster_name'],
])('%j is refused at %s', (service, path) => {
  const compiled = compileMessage(service, 'grpc_service', compileGrpcService)
  expect(compiled.ok).toBe(false)
  expect(compiled.diagnostics.map((problem) => problem.path)).toContain(path)
})

test.each([
  ['http://zipkin:9411/api/v2/spans?a=1', { scheme: 'http', authority: 'zipkin:9411', path: '/api/v2/spans?a=1' }],
  ['HTTPS://keys', { scheme: 'https', authority: 'keys', path: '/' }],
])('%s is taken apart', (uri, parts) => {
  const compiled = compileMessage({ uri, cluster: 'c', timeout: '1s' }, 'http_uri', compileHttpUri)
  expect(compiled).toMatchObject({ ok: true, value: { cluster: 'c', timeoutMs: 1000, ...parts } })
})

test.each([
  [{ uri: 'zipkin:9411', cluster: 'c' }, 'http_uri.uri'],
  [{ uri: 'http://zipkin/' }, 'http_uri.cluster'],
])('%j is refused at %s', (uri, path) => {
  const compiled = compileMessage(uri, 'http_uri', compileHttpUri)
  expect(compiled.diagnostics.map((problem) => problem.path)).toEqual([path])
})
