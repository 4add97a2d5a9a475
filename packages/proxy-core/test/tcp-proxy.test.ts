import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { startTcpProxy, type TestTcpProxy } from './tcp-harness.js'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function listen(handle: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer({ allowHalfOpen: true }, handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => server.close())
  return (server.address() as AddressInfo).port
}

async function start(...args: Parameters<typeof startTcpProxy>): Promise<TestTcpProxy> {
  const started = await startTcpProxy(...args)
  closers.push(() => started.close())
  return started
}

test('megabytes pass unchanged both ways, and a half-close reaches the other side', async () => {
  const upstream = await listen((socket) => {
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    // Answers only when the client has said that it is done.
    socket.on('end', () => socket.end(Buffer.concat(chunks)))
  })
  const { port, log } = await start(upstream)
  const sent = Buffer.alloc(5_000_000)
  for (let i = 0; i < sent.length; i++) sent[i] = (i * 31 + (i >> 8)) & 0xff
  const received = await new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => socket.end(sent))
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('end', () => resolve(Buffer.concat(chunks)))
    socket.on('error', reject)
  })
  expect(received.length).toBe(sent.length)
  expect(received.equals(sent)).toBe(true)
  await expect.poll(() => log.length).toBe(1)
  expect(log[0]?.info).toMatchObject({ bytesReceived: sent.length, bytesSent: sent.length, cluster: 'up' })
})

test('a stream that is faster than its reader arrives whole, and connections that share buffers keep their bytes apart', async () => {
  const part = (seed: number): Buffer => {
    const bytes = Buffer.alloc(24_000_000)
    for (let i = 0; i < bytes.length; i += 4) bytes.writeInt32LE(((i + seed) * 2654435761) | 0, i)
    return bytes
  }
  const parts = [part(1), part(2), part(3)]
  let next = 0
  const upstream = await listen((socket) => void socket.end(parts[next++]!))
  const { port } = await start(upstream)
  const read = (slow: boolean): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      const socket = connect({ port, host: '127.0.0.1' })
      socket.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        if (!slow) return
        socket.pause()
        setTimeout(() => socket.resume(), 1)
      })
      socket.on('end', () => resolve(Buffer.concat(chunks)))
      socket.on('error', reject)
    })
  const received = await Promise.all([read(false), read(true), read(false)])
  for (const sent of parts) expect(received.filter((bytes) => bytes.equals(sent))).toHaveLength(1)
}, 30_000)

test('a refused upstream closes the client with UF,URX', async () => {
  const { port, log } = await start(1)
  await new Promise<void>((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    socket.resume()
  })
  await expect.poll(() => log.length).toBe(1)
  expect([...log[0]!.info.flags]).toEqual(['UF', 'URX'])
})

test('the cluster that a server name has chosen is connected to, and must be there', async () => {
  const upstream = await listen((socket) => socket.end('hello'))
  const answer = async (serverName?: string): Promise<string> => {
    const { port, log } = await start(upstream, { target: (_, name) => ({ cluster: name ?? 'up' }) }, serverName)
    const text = await new Promise<string>((resolve) => {
      let received = ''
      const socket = connect(port, '127.0.0.1')
      socket.on('data', (chunk) => (received += String(chunk)))
      socket.on('error', () => {})
      socket.on('close', () => resolve(received))
    })
    await expect.poll(() => log.length).toBe(1)
    return `${text} ${[...log[0]!.info.flags].join()} ${log[0]!.info.cluster}`
  }
  expect(await answer('up')).toBe('hello  up')
  expect(await answer()).toBe('hello  up')
  expect(await answer('nobody')).toBe(' NC undefined')
})

test('an idle connection is closed; a client that resets takes the upstream with it', async () => {
  let upstreamClosed = 0
  const upstream = await listen((socket) => {
    socket.on('error', () => {})
    socket.on('end', () => socket.end())
    socket.on('close', () => upstreamClosed++)
    socket.resume()
  })
  const { port, stats } = await start(upstream, { idleTimeoutMs: 50 })
  await new Promise<void>((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('close', () => resolve())
    socket.on('error', () => {})
    socket.resume()
  })
  await expect.poll(() => upstreamClosed).toBe(1)
  expect(stats.idleTimeout.value).toBe(1)
  const second = connect(port, '127.0.0.1', () => {
    second.write('x', () => second.resetAndDestroy())
  })
  second.on('error', () => {})
  await expect.poll(() => upstreamClosed).toBe(2)
})

test('a reset of either side reaches the other, which would take the end of what it read for the end', async () => {
  const ends: (string | undefined)[] = []
  const upstream = await listen((socket) => {
    socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code))
    socket.on('end', () => ends.push('end'))
    socket.on('data', (bytes) => {
      if (String(bytes) === 'reset') socket.resetAndDestroy()
      else socket.write(bytes)
    })
  })
  const { port, log } = await start(upstream)
  const mine = connect(port, '127.0.0.1', () => mine.write('hello'))
  mine.on('error', () => {})
  mine.on('data', () => mine.resetAndDestroy())
  await expect.poll(() => ends).toEqual(['ECONNRESET'])
  const theirs = connect(port, '127.0.0.1', () => theirs.write('reset'))
  const seen = await new Promise((resolve) => {
    theirs.on('error', (error: NodeJS.ErrnoException) => resolve(error.code))
    theirs.on('end', () => resolve('end'))
    theirs.resume()
  })
  expect(seen).toBe('ECONNRESET')
  await expect.poll(() => log.length).toBe(2)
  expect(log.map(({ connection, info }) => [connection?.reset, info.upstreamConnection?.reset, [...info.flags].join()])).toEqual([
    ['remote', 'local', ''],
    ['local', 'remote', 'UR'],
  ])
})

test('max_connect_attempts tries again before it gives up', async () => {
  const free = await listen(() => {})
  await closers.pop()?.()
  for (const maxConnectAttempts of [1, 3]) {
    const { port, log, stats } = await start(free, { maxConnectAttempts })
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    await new Promise((resolve) => socket.once('close', resolve))
    await expect.poll(() => log.length).toBe(1)
    expect(log[0]?.info.attempts).toBe(maxConnectAttempts)
    expect([...(log[0]?.info.flags ?? [])]).toEqual(['UF', 'URX'])
    expect(stats.upstreamCxConnectAttemptsExceeded.value).toBe(1)
  }
})
