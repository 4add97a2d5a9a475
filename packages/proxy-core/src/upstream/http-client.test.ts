import { createFakeClock } from '@heddle/runtime/testing'
import { expect, test } from 'vitest'
import type { HttpRequest } from '../http/message.js'
import { createTimers } from '../net/timers.js'
import type { ClusterManager } from './cluster-manager.js'
import { createHttpClient } from './http-client.js'

test.each([
  [true, '10.0.0.7'],
  [false, undefined],
])('x-forwarded-for tells where a call comes from, if it asks for it: %j', (forwardedFor, want) => {
  const sent: HttpRequest[] = []
  const cluster = {
    pick: () => ({}),
    host: () => ({ errors: 0 }),
    protocolFor: () => 'HTTP/1.1',
    pool: () => ({ send: (request: HttpRequest) => void sent.push(request) }),
  }
  const clusters = { get: () => cluster } as unknown as ClusterManager
  const http = createHttpClient({ clusters, timers: createTimers({ clock: createFakeClock() }), localAddress: '10.0.0.7' })
  http.call({ cluster: 'keys', method: 'GET', authority: 'keys', path: '/', timeoutMs: 100, forwardedFor })
  expect(sent.map(({ headers }) => headers.get('x-forwarded-for'))).toEqual([want])
})
