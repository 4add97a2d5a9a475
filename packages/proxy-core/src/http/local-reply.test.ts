import { expect, test } from 'vitest'
import { readBody } from './body.js'
import { createHeaderMap } from './header-map.js'
import { isGrpc, responseOf } from './local-reply.js'

test('a plain reply has a type, a length and its own headers', () => {
  const response = responseOf(
    {
      status: 503,
      body: 'nö',
      details: 'd',
      headers: [
        ['x-a', '1'],
        ['x-a', '2'],
      ],
    },
    false,
  )
  expect(response.status).toBe(503)
  expect([...response.headers]).toEqual([
    ['content-length', '3'],
    ['content-type', 'text/plain'],
    ['x-a', '1'],
    ['x-a', '2'],
  ])
  expect(response.body.length).toBe(3)
  expect(responseOf({ status: 404, body: '', details: 'd' }, false).headers.size).toBe(0)
})

test('to gRPC it is 200 with grpc-status and a percent-encoded message', () => {
  const response = responseOf({ status: 403, body: 'RBAC: 100% no\n', details: 'd' }, true)
  expect(response.status).toBe(200)
  expect(Object.fromEntries(response.headers)).toEqual({
    'content-type': 'application/grpc',
    'grpc-status': '7',
    'grpc-message': 'RBAC: 100%25 no%0A',
  })
})

test('gRPC is known by its content type, not by its look-alikes', () => {
  const of = (type: string): boolean => isGrpc(createHeaderMap([['content-type', type]]))
  expect(['application/grpc', 'application/grpc+proto'].map(of)).toEqual([true, true])
  const others = ['application/grpc-web', 'application/json', 'application/grpcx', 'application/grpc;x=y']
  expect(others.map(of)).toEqual([false, false, false, false])
})

test('a body that is no text comes as it is', async () => {
  const bytes = Uint8Array.of(0, 255, 65)
  const response = responseOf({ status: 200, body: '?', bytes, details: 'd' }, false)
  expect(response.headers.get('content-length')).toBe('3')
  expect([...(await readBody(response.body, 10))]).toEqual([0, 255, 65])
})
