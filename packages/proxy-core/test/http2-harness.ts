import {
  type ClientHttp2Session,
  connect as connectHttp2,
  createServer as createHttp2Server,
  type Http2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'

export interface Http2Upstream {
  readonly port: number
  readonly server: Http2Server
  readonly requests: IncomingHttpHeaders[]
  /** Connections so far. */
  readonly sessions: number
  close(): Promise<void>
}

/** A server of node:http2, without TLS. */
export async function startHttp2Upstream(
  answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
  settings: import('node:http2').Settings = {},
): Promise<Http2Upstream> {
  const requests: IncomingHttpHeaders[] = []
  const open = new Set<import('node:http2').ServerHttp2Session>()
  let sessions = 0
  const server = createHttp2Server({ settings, maxSessionMemory: 1000 })
  server.on('session', (session) => {
    sessions++
    open.add(session)
    session.on('error', () => {})
    session.on('close', () => open.delete(session))
  })
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    requests.push(headers)
    answer(stream, headers)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    server,
    requests,
    get sessions() {
      return sessions
    },
    close: () =>
      new Promise((resolve) => {
        for (const session of open) session.destroy()
        server.close(() => resolve())
      }),
  }
}

export interface Http2Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly trailers: IncomingHttpHeaders | undefined
}

export interface Http2Call {
  readonly headers?: OutgoingHttpHeaders
  readonly body?: Uint8Array | string
  readonly trailers?: OutgoingHttpHeaders
}

/** A client of node:http2, without TLS. */
export function http2Client(port: number): ClientHttp2Session {
  const session = connectHttp2(`http://127.0.0.1:${port}`, { maxSessionMemory: 1000 })
  session.on('error', () => {})
  return session
}

export function http2Call(session: ClientHttp2Session, call: Http2Call = {}): Promise<Http2Answer> {
  return new Promise((resolve, reject) => {
    const { headers = {}, body, trailers } = call
    const stream = session.request(
      { ':path': '/', ...headers },
      { endStream: body === undefined && trailers === undefined, waitForTrailers: trailers !== undefined },
    )
    let answered: IncomingHttpHeaders = {}
    let came: IncomingHttpHeaders | undefined
    const chunks: Buffer[] = []
    stream.on('response', (head) => {
      answered = head
    })
    stream.on('trailers', (fields) => {
      came = fields
    })
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('wantTrailers', () => stream.sendTrailers(trailers ?? {}))
    stream.on('error', reject)
    stream.on('close', () => {
      if (stream.rstCode !== 0) reject(Object.assign(new Error(`reset with ${stream.rstCode}`), { code: stream.rstCode }))
      else resolve({ status: Number(answered[':status']), headers: answered, body: Buffer.concat(chunks), trailers: came })
    })
    if (body !== undefined || trailers !== undefined) stream.end(body)
  })
}
