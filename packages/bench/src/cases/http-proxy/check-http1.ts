import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, type RequestOptions, request, type Server } from 'node:http'
import { Agent as SecureAgent } from 'node:https'
import { connect, isIP } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'

const LARGE = 3 * 1024 * 1024 + 7
const PATIENCE_MS = 10_000

/** What a proxy is checked against: an upstream that sends back what it gets, framed as it came. */
export async function startEcho(): Promise<{ port: number; close(): void }> {
  const server: Server = createServer((incoming, response) => {
    const length = incoming.headers['content-length']
    response.writeHead(200, {
      'x-saw-request-id': incoming.headers['x-request-id'] ?? '',
      'x-saw-forwarded-for': incoming.headers['x-forwarded-for'] ?? '',
      'x-saw-path': incoming.url ?? '',
      ...(length === undefined ? {} : { 'content-length': length }),
    })
    incoming.pipe(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Rejects with the first thing that the proxy on `port`, in front of an echo, does not do; `secure`: over TLS with any certificate. */
export async function checkHttp1(port: number, headers: Headers = {}, secure = false): Promise<void> {
  const to = { port, headers, secure }
  const pool = { keepAlive: true, maxSockets: 1 }
  const agent = secure ? new SecureAgent({ ...pool, rejectUnauthorized: false }) : new Agent(pool)
  try {
    await checkLarge(to, agent, false)
    await checkLarge(to, agent, true)
    await checkKeepAlive(to, agent)
    await checkHeaders(to, agent)
    await withPatience('pipelined requests', checkPipelining(to))
  } finally {
    agent.destroy()
  }
}

async function checkLarge(to: Target, agent: Agent, chunked: boolean): Promise<void> {
  const body = randomBytes(LARGE)
  const what = chunked ? 'a large chunked body' : 'a large body'
  const answer = await call(to, agent, what, {
    method: 'POST',
    path: '/large',
    headers: chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(LARGE) },
    body,
  })
  const same = digest(answer.body) === digest(body)
  if (!same) throw new Error(`${what} came back changed: ${answer.status}, ${answer.body.length} of ${LARGE} bytes`)
}

async function checkKeepAlive(to: Target, agent: Agent): Promise<void> {
  const sockets = new Set<number | undefined>()
  for (let i = 0; i < 20; i++) {
    const body = Buffer.from(`request ${i}`)
    const answer = await call(to, agent, 'keep-alive', { method: 'POST', path: `/${i}`, headers: {}, body })
    if (answer.body.toString() !== body.toString()) throw new Error(`keep-alive: request ${i} got another one's answer`)
    sockets.add(answer.localPort)
  }
  if (sockets.size !== 1) throw new Error(`keep-alive: 20 requests took ${sockets.size} connections`)
}

async function checkHeaders(to: Target, agent: Agent): Promise<void> {
  const { headers } = await call(to, agent, 'headers', { method: 'GET', path: '/a/b?c=d', headers: {}, body: Buffer.alloc(0) })
  if (headers['x-saw-path'] !== '/a/b?c=d') throw new Error(`the path arrived as ${headers['x-saw-path']}`)
  if (!headers['x-saw-request-id']) throw new Error('no x-request-id arrived')
  // Envoy writes the machine's own address for a client on loopback.
  const client = headers['x-saw-forwarded-for']
  if (typeof client !== 'string' || isIP(client) === 0) throw new Error(`x-forwarded-for arrived as ${client}`)
}

/** Three requests in one write: three answers in their order. */
function checkPipelining({ port, headers, secure }: Target): Promise<void> {
  const own = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const one = (body: string): string =>
    `POST /p HTTP/1.1\r\nhost: check\r\n${own.join('')}content-length: ${body.length}\r\n\r\n${body}`
  return new Promise((resolve, reject) => {
    let text = ''
    const options = { port, host: '127.0.0.1' }
    const socket = secure ? connectTls({ ...options, rejectUnauthorized: false }) : connect(options)
    socket.write(one('<first>') + one('<second>') + one('<third>'))
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('pipelined requests: the connection was closed')))
    socket.on('data', (data) => {
      text += data.toString('latin1')
      if (!text.includes('<third>')) return
      const order = [...text.matchAll(/<(\w+)>/g)].map((match) => match[1])
      socket.destroy()
      if (order.join() === 'first,second,third') resolve()
      else reject(new Error(`pipelined requests were answered as ${order.join()}`))
    })
  })
}

/** What every request of a check brings. */
export type Headers = Readonly<Record<string, string>>

interface Target {
  readonly port: number
  readonly headers: Headers
  readonly secure: boolean
}

interface Call {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
  readonly localPort: number | undefined
}

function call(to: Target, agent: Agent, what: string, { method, path, headers, body }: Call): Promise<Answer> {
  const options: RequestOptions = {
    ...{ protocol: to.secure ? 'https:' : 'http:', host: '127.0.0.1', port: to.port, agent, method, path },
    headers: { ...to.headers, ...headers },
  }
  const answered = new Promise<Answer>((resolve, reject) => {
    const outgoing = request(options, (response) => {
      const localPort = response.socket.localPort
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts), localPort }),
      )
    })
    outgoing.on('error', (error) => reject(new Error(`${what}: ${error.message}`)))
    outgoing.end(body)
  })
  return withPatience(what, answered)
}

async function withPatience<T>(what: string, answer: Promise<T>): Promise<T> {
  const stop = new AbortController()
  const late = sleep(PATIENCE_MS, undefined, { signal: stop.signal }).then(() => {
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
