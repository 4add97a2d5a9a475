import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import type { RoundContext } from '../../bench-case.js'
import { freePort, listening, start, withProcesses } from '../../running.js'
import type { HttpProxy as ReverseProxy } from '../http-proxy/proxies.js'

const LARGE = 8 * 1024 * 1024 + 7
const PATIENCE_MS = 10_000

/** Rejects unless 8 MiB come back through the proxy byte for byte, and half-closes pass. */
export async function checkTcp(proxy: ReverseProxy, secure: boolean, context: RoundContext): Promise<void> {
  const echo = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => {}).pipe(socket))
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  const address = echo.address()
  const upstream = typeof address === 'object' && address !== null ? address.port : 0
  try {
    await withProcesses(async (keep) => {
      const port = await freePort()
      await listening(port, keep(start(context.placement, 'subject', await proxy.command(context, port, upstream))))
      const body = randomBytes(LARGE)
      const options = { port, host: '127.0.0.1', allowHalfOpen: true }
      const socket = secure ? connectTls({ ...options, rejectUnauthorized: false }) : connect(options)
      const back = await Promise.race([exchange(socket, body), sleep(PATIENCE_MS, undefined, { ref: false })])
      socket.destroy()
      if (back === undefined) throw new Error('the end did not come back: half-closes do not pass')
      if (digest(back) !== digest(body)) throw new Error(`${back.length} of ${body.length} bytes came back, or others`)
    })
  } finally {
    echo.close()
  }
}

async function exchange(socket: Socket, body: Buffer): Promise<Buffer> {
  const parts: Buffer[] = []
  socket.on('data', (part: Buffer) => parts.push(part))
  socket.end(body)
  await once(socket, 'end')
  return Buffer.concat(parts)
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
