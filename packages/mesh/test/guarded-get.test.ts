import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { guardedGet } from '../src/guarded-get.js'

let server: Server
let base: string

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/redirect') response.writeHead(302, { location: '/keys' }).end()
    else if (request.url === '/large') response.end('x'.repeat(2000))
    else if (request.url === '/keys') response.end('{"keys":[]}')
    // Anything else is never answered.
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://localhost:${(server.address() as AddressInfo).port}`
})

afterAll(
  () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections()
      server.close(() => resolve())
    }),
)

test('gets a document', async () => {
  expect(await guardedGet(`${base}/keys`)).toBe('{"keys":[]}')
})

test.each([
  ['/redirect', {}, 'the answer is 302'],
  ['/large', { maxBytes: 1000 }, 'larger than 1000 bytes'],
  ['/silent', { timeoutMs: 100 }, 'aborted'],
  ['/keys', { blockedCidrs: ['127.0.0.0/8', '::1/128'] }, 'its network is blocked'],
])('GHSA-fgw5-hp8f-xfhc: %s with %j is refused', async (path, options, why) => {
  await expect(guardedGet(base + path, options)).rejects.toThrow(why)
})

test.each([
  'http://169.254.169.254/latest',
  'http://[fe80::1]/',
  'http://[::ffff:169.254.169.254]/',
  'file:///etc/passwd',
  'keys',
])('GHSA-fgw5-hp8f-xfhc: %s is refused', async (url) => {
  await expect(guardedGet(url)).rejects.toThrow(/blocked|no http or https URL/)
})
