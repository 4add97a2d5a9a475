import { createMetricsRegistry } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import { expect, it } from 'vitest'
import { createConnectionPair } from '../../net/memory.js'
import { createTimers } from '../../net/timers.js'
import { createCodecStats } from '../../observe/codec-stats.js'
import { emptyBody } from '../body.js'
import type { ServerHandler, ServerOptions } from '../codec.js'
import { DEFAULT_HTTP2_OPTIONS } from '../h2/options.js'
import { createHeaderMap } from '../header-map.js'
import { http1Codec } from './codec.js'

const ADDRESS = { address: '127.0.0.1', port: 1 }
const OPTIONS: ServerOptions = {
  ...{ scheme: 'http', maxHeadersKb: 60, maxHeadersCount: 100, acceptHttp10: false, enableTrailers: false },
  http2: DEFAULT_HTTP2_OPTIONS,
  timers: createTimers({ clock: createFakeClock() }),
  stats: createCodecStats(createMetricsRegistry()),
  timeouts: { idle: 0, headers: 0, delayedClose: 1000, drain: 0 },
}

it('what follows a request whose upgrade was refused is no request, whoever lets go of it', async () => {
  const seen: string[] = []
  let answer = (): void => {}
  const [client, connection] = createConnectionPair(ADDRESS, ADDRESS)
  const handler: ServerHandler = {
    onRequest(exchange) {
      seen.push(exchange.request.path)
      // As a router does that ends what it has begun upstream.
      exchange.events = { onDone: () => exchange.request.body.discard(), onBroken() {}, onReset() {} }
      answer = () => exchange.respond({ status: 200, headers: createHeaderMap(), body: emptyBody }, false)
    },
    onRefused: () => void seen.push('refused'),
    onInvalid: () => void seen.push('invalid'),
    onClose() {},
  }
  http1Codec.serve(connection, OPTIONS, handler)
  client.handle({ onData() {}, onEnd() {}, onDrain() {}, onClose() {} })
  const smuggled = 'GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n'
  client.write(Buffer.from(`POST /seen HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n${smuggled}`))
  await new Promise((resolve) => setImmediate(resolve))
  answer()
  expect(seen).toEqual(['/seen'])
})
