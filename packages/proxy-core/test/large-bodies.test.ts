import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import { cluster, endpoint, routeTable, startProxy, startUpstream, upstreamHttp } from './harness.js'
import { http2Client, startHttp2Upstream } from './http2-harness.js'

/** A body far larger than any window passes byte for byte in bounded memory, behind a reader that is slower than its writer. */

const MIB = 1024 * 1024
const SIZE = (process.env['HEDDLE_SOAK'] === undefined ? 256 : 1024) * MIB
const MOST_MEMORY = 160 * MIB

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

describe.each(['HTTP1', 'HTTP2'] as const)('an upstream that speaks %s', (protocol) => {
  test(`${SIZE / MIB} MiB there and back`, async () => {
    const upstream =
      protocol === 'HTTP2'
        ? await startHttp2Upstream((stream) => {
            stream.respond({ ':status': 200 })
            stream.pipe(stream)
          })
        : await startUpstream((request, response) => request.pipe(response))
    open.push(upstream)
    const http = upstreamHttp({ protocol })
    const proxy = await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(upstream.port)], { http })] })
    open.push(proxy)
    const session = http2Client(proxy.port)
    const stream = session.request({ ':method': 'POST' })
    const sent = createHash('sha256')
    const came = createHash('sha256')
    let [length, most] = [0, 0]
    const before = process.memoryUsage().rss
    stream.on('data', (chunk: Buffer) => {
      came.update(chunk)
      length += chunk.length
      most = Math.max(most, process.memoryUsage.rss() - before)
    })
    const over = once(stream, 'end')
    const part = Buffer.alloc(256 * 1024)
    for (let at = 0; at < SIZE; at += part.length) {
      part.writeUInt32BE(at / part.length, 0)
      sent.update(part)
      if (!stream.write(Buffer.from(part))) await once(stream, 'drain')
    }
    stream.end()
    await over
    session.destroy()
    expect(length).toBe(SIZE)
    expect(came.digest('hex')).toBe(sent.digest('hex'))
    expect(most).toBeLessThan(MOST_MEMORY)
  }, 300_000)
})
