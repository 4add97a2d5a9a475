import { afterEach, expect, test } from 'vitest'
import { call, cluster, endpoint, routeTable, startProxy, startUpstream } from './harness.js'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})
function opened<T extends { close(): Promise<void> }>(one: T): T {
  open.push(one)
  return one
}

test('a request goes through to the upstream and its answer comes back', async () => {
  const upstream = opened(
    await startUpstream((request, response) => {
      response.setHeader('x-seen', request.url ?? '')
      response.end('hello')
    }),
  )
  const proxy = opened(await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(upstream.port)])] }))
  const answer = await call(proxy.port, { path: '/a/../b?q=1', headers: { 'x-own': 'mine' } })
  expect(answer.status).toBe(200)
  expect(answer.body.toString()).toBe('hello')
  expect(answer.headers['x-seen']).toBe('/b?q=1')
  expect(answer.headers['server']).toBe('heddle')
  expect(upstream.requests[0]?.headers).toMatchObject({ 'x-own': 'mine', 'x-forwarded-proto': 'http' })
  expect(upstream.requests[0]?.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  await expect.poll(() => proxy.log.length).toBe(1)
  expect(proxy.log[0]?.info).toMatchObject({ status: 200, details: 'via_upstream', bytesSent: 5, cluster: 'u', attempts: 1 })
})
