import { afterEach, expect, test } from 'vitest'
import { call, cluster, endpoint, httpManager, routeTable, sendRaw, startProxy, startUpstream } from './harness.js'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})
function opened<T extends { close(): Promise<void> }>(one: T): T {
  open.push(one)
  return one
}

test('a head that does not come in time is told so; names with underscores are dropped', async () => {
  const upstream = opened(await startUpstream((request, response) => response.end(String(request.headers['a_b']))))
  const proxy = opened(
    await startProxy({
      table: routeTable('u'),
      clusters: [cluster('u', [endpoint(upstream.port)])],
      manager: { headersWithUnderscores: 'DROP_HEADER', timeouts: { ...httpManager().timeouts, requestHeaders: 50 } },
    }),
  )
  const answer = await call(proxy.port, { headers: { a_b: '1' } })
  expect(answer.body.toString()).toBe('undefined')
  const text = await sendRaw(proxy.port, 'GET / HTTP/1.1\r\n')
  expect(text).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n[\s\S]*\r\n\r\nrequest header timeout$/)
})
