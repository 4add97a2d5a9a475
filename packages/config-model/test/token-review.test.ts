import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock as clock } from '@heddle/runtime'
import { afterEach, expect, test } from 'vitest'
import { createTokenReviewer, type TokenReviewer } from '../src/kubernetes/index.js'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** An API server that knows one thing: how to answer a TokenReview. */
async function reviewer(
  answer: (path: string, review: object) => [status: number, body: object] | undefined,
  timeoutMs = 20_000,
): Promise<TokenReviewer> {
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (bytes: Buffer) => {
      text += bytes.toString()
    })
    request.on('end', () => {
      const reply = answer(`${request.method} ${request.url}`, JSON.parse(text) as object)
      if (reply !== undefined) response.writeHead(reply[0], { 'content-type': 'application/json' }).end(JSON.stringify(reply[1]))
    })
  })
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const config = { getCurrentCluster: () => ({ server: url }), applyToHTTPSOptions: () => Promise.resolve() }
  return createTokenReviewer({ config, clock, timeoutMs })
}

test('a TokenReview is posted, and its status comes back', async () => {
  const asked: unknown[] = []
  const status = { authenticated: true, audiences: ['istio-ca'], user: { username: 'system:serviceaccount:shop:cart' } }
  const review = await reviewer((path, body) => {
    asked.push(path, body)
    return [201, { ...body, status }]
  })
  expect(await review({ token: 'abc', audiences: ['istio-ca'] })).toEqual(status)
  expect(asked).toEqual([
    'POST /apis/authentication.k8s.io/v1/tokenreviews',
    { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'abc', audiences: ['istio-ca'] } },
  ])
})

test('a server that refuses, and one that does not answer, are failures with a reason', async () => {
  const forbidden = await reviewer(() => [403, { kind: 'Status', message: 'tokenreviews is forbidden' }])
  await expect(forbidden({ token: 'a', audiences: [] })).rejects.toThrow('tokenreviews is forbidden')
  const silent = await reviewer(() => undefined, 300)
  await expect(silent({ token: 'a', audiences: [] })).rejects.toThrow('no answer within 300 ms')
})
