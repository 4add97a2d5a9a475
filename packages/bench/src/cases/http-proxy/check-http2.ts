import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
} from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Headers } from './check-http1.js'

const LARGE = 3 * 1024 * 1024 + 7
const PATIENCE_MS = 10_000
const SETTINGS = { initialWindowSize: 1 << 20 }

/** What a proxy is checked against: an upstream that sends back what it gets, then a trailer with the number of its bytes. */
export async function startHttp2Echo(): Promise<{ port: number; close(): void }> {
  const sessions = new Set<ServerHttp2Session>()
  const server = createServer({ settings: SETTINGS })
  server.on('session', (session) => sessions.add(session))
  server.on('stream', (stream, headers) => {
    let bytes = 0
    stream.on('error', () => {})
    stream.respond(
      { ':status': 200, 'x-saw-path': headers[':path'] ?? '', 'x-saw-request-id': headers['x-request-id'] ?? '' },
      { waitForTrailers: true },
    )
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-bytes': String(bytes) }))
    stream.on('data', (part: Buffer) => {
      bytes += part.length
      stream.write(part)
    })
    stream.on('end', () => stream.end())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close() {
      for (const session of sessions) session.destroy()
      server.close()
    },
  }
}

/** Rejects with the first thing that the proxy on `port`, in front of an echo, does not do; `bodies`: requests have them. */
export async function checkHttp2(port: number, headers: Headers = {}, bodies = true): Promise<void> {
  const session = asking(connect(`http://127.0.0.1:${port}`, { settings: SETTINGS }), headers)
  session.on('error', () => {})
  try {
    const small = await call(session, '/a/b?c=d', Buffer.from(bodies ? 'hello' : ''))
    if (small.headers['x-saw-path'] !== '/a/b?c=d') throw new Error(`the path arrived as ${small.headers['x-saw-path']}`)
    if (!small.headers['x-saw-request-id']) throw new Error('no x-request-id arrived')
    const most = bodies ? 997 : 0
    await Promise.all(Array.from({ length: 100 }, (_, i) => checkBody(session, `/${i}`, randomBytes(i * most))))
    if (!bodies) return
    await checkBody(session, '/large', randomBytes(LARGE))
    await checkBothWays(session)
  } finally {
    session.destroy()
  }
}

/** Every request of the session brings these too. */
function asking(session: ClientHttp2Session, own: Headers): ClientHttp2Session {
  const request = session.request.bind(session)
  session.request = (headers, options) => request({ ...headers, ...own }, options)
  return session
}

async function checkBody(session: ClientHttp2Session, path: string, body: Buffer): Promise<void> {
  const answer = await call(session, path, body)
  if (digest(answer.body) !== digest(body)) throw new Error(`${path}: ${answer.body.length} of ${body.length} bytes, or others`)
  if (answer.trailers['x-bytes'] !== String(body.length))
    throw new Error(`${path}: the trailer came as ${answer.trailers['x-bytes']}`)
}

/** Each part is answered before the next one is sent. */
async function checkBothWays(session: ClientHttp2Session): Promise<void> {
  const stream = session.request({ ':method': 'POST', ':path': '/both' })
  for (const part of ['one', 'two', 'three']) {
    stream.write(part)
    const [echoed] = (await withPatience('both ways at once', stream, once(stream, 'data'))) as [Buffer]
    if (echoed.toString() !== part) throw new Error(`both ways at once: ${part} came back as ${echoed}`)
  }
  stream.end()
  stream.resume()
  await withPatience('both ways at once', stream, once(stream, 'close'))
}

interface Answer {
  readonly headers: IncomingHttpHeaders
  readonly trailers: IncomingHttpHeaders
  readonly body: Buffer
}

function call(session: ClientHttp2Session, path: string, body: Buffer): Promise<Answer> {
  const stream = session.request({ ':method': 'POST', ':path': path })
  const answered = new Promise<Answer>((resolve, reject) => {
    let headers: IncomingHttpHeaders = {}
    let trailers: IncomingHttpHeaders = {}
    const parts: Buffer[] = []
    stream.on('response', (got) => void (headers = got))
    stream.on('trailers', (got) => void (trailers = got))
    stream.on('data', (part: Buffer) => parts.push(part))
    stream.on('error', (error) => reject(new Error(`${path}: ${error.message}`)))
    stream.on('close', () => resolve({ headers, trailers, body: Buffer.concat(parts) }))
    stream.end(body)
  })
  return withPatience(path, stream, answered)
}

async function withPatience<T>(what: string, stream: ClientHttp2Stream, answer: Promise<T>): Promise<T> {
  const stop = new AbortController()
  const late = sleep(PATIENCE_MS, undefined, { signal: stop.signal }).then(() => {
    stream.destroy()
    throw new Error(`${what}: no answer in ${PATIENCE_MS / 1000} s`)
  })
  late.catch(() => {})
  try {
    return await Promise.race([answer, late])
  } finally {
    stop.abort()
  }
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
