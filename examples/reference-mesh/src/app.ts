import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'

// A plain program that knows nothing of the mesh. It answers with its name, can be told to fail, and calls others through
// the HTTP proxy that its environment names, as any program that honours HTTP_PROXY would.
const name = process.env['APP_NAME'] ?? 'app'
const proxy = process.env['HTTP_PROXY'] === undefined ? undefined : new URL(process.env['HTTP_PROXY'])
const agent = new Agent({ keepAlive: true, maxSockets: 32 })

/** What `POST /call` takes: `count` requests to `host`, `concurrency` at a time, or as many as fit into `forMs`. */
export interface Call {
  host: string
  path?: string
  method?: string
  headers?: Record<string, string>
  count?: number
  concurrency?: number
  forMs?: number
}

/** What came back: how many answers there were of each body and status, the last one's headers, and what went wrong. */
export interface CallReport {
  bodies: Record<string, number>
  statuses: Record<string, number>
  last: { status: number; headers: Record<string, string>; body: string }
  errors: string[]
}

/** Answers this app gave, by the caller's identity and status, and answers it got, by host and status. */
export interface Counters {
  served: Record<string, number>
  received: Record<string, number>
}

const counters: Counters = { served: {}, received: {} }
const failuresLeft = new Map<string, number>()

function count(table: Record<string, number>, key: string): void {
  table[key] = (table[key] ?? 0) + 1
}

function answer(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  body: string,
  headers: Record<string, string> = {},
): void {
  const caller = /URI=([^;,"]+)/.exec(String(req.headers['x-forwarded-client-cert'] ?? ''))?.[1] ?? 'unknown'
  count(counters.served, `${caller} ${status}`)
  res.writeHead(status, { 'content-type': 'text/plain', 'x-app': name, ...headers })
  res.end(body)
}

/** `/flaky?key=K&times=N` answers 503 the first N times, then 200. */
function flaky(req: IncomingMessage, res: ServerResponse, url: URL): void {
  const key = url.searchParams.get('key') ?? ''
  const left = failuresLeft.get(key) ?? Number(url.searchParams.get('times') ?? 0)
  failuresLeft.set(key, left - 1)
  const attempt = String(req.headers['x-envoy-attempt-count'] ?? 'absent')
  answer(req, res, left > 0 ? 503 : 200, name, { 'x-envoy-attempt-count': attempt })
}

/** `/only?app=NAME` answers 503 unless the app is called so. */
function only(req: IncomingMessage, res: ServerResponse, url: URL): void {
  answer(req, res, url.searchParams.get('app') === name ? 200 : 503, name)
}

function send(call: Call): Promise<{ status: number; headers: Record<string, string>; body: string }> {
  return new Promise((resolve, reject) => {
    if (proxy === undefined) return reject(new Error('HTTP_PROXY is not set'))
    const options = {
      host: proxy.hostname,
      port: proxy.port,
      agent,
      method: call.method ?? 'GET',
      path: call.path ?? '/',
      headers: { host: call.host, ...call.headers },
    }
    const outgoing = request(options, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body += chunk
      })
      response.on('error', reject)
      response.on('end', () => {
        const headers = Object.fromEntries(Object.entries(response.headers).map(([key, value]) => [key, String(value)]))
        resolve({ status: response.statusCode ?? 0, headers, body: body.trim() })
      })
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

async function run(call: Call): Promise<CallReport> {
  const report: CallReport = { bodies: {}, statuses: {}, last: { status: 0, headers: {}, body: '' }, errors: [] }
  const until = call.forMs === undefined ? undefined : Date.now() + call.forMs
  let left = call.count ?? (until === undefined ? 1 : Number.POSITIVE_INFINITY)
  const worker = async (): Promise<void> => {
    while (left-- > 0 && (until === undefined || Date.now() < until)) {
      try {
        const got = await send(call)
        count(report.bodies, got.body)
        count(report.statuses, String(got.status))
        count(counters.received, `${call.host} ${got.status}`)
        report.last = got
      } catch (error) {
        report.errors.push(String(error))
      }
    }
  }
  await Promise.all(Array.from({ length: call.concurrency ?? 8 }, worker))
  return report
}

async function bodyOf(req: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of req) text += String(chunk)
  return text
}

const server = createServer((req, res) => {
  const url = new URL(req.url ?? '/', 'http://app')
  if (url.pathname === '/flaky') return flaky(req, res, url)
  if (url.pathname === '/only') return only(req, res, url)
  if (url.pathname === '/headers') return answer(req, res, 200, JSON.stringify(req.headers))
  if (url.pathname === '/info') return answer(req, res, 200, `${name} is well`)
  // What the driver of the demo asks; the mesh is not on this way.
  if (url.pathname === '/counters') return void res.end(JSON.stringify(counters))
  if (url.pathname === '/call') {
    bodyOf(req)
      .then((text) => run(JSON.parse(text) as Call))
      .then((report) => res.end(JSON.stringify(report)))
      .catch((error: unknown) => res.writeHead(500).end(String(error)))
    return
  }
  answer(req, res, 200, name)
})

server.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1', () => process.send?.({ ready: server.address() }))
process.on('disconnect', () => process.exit(0))
process.on('SIGTERM', () => process.exit(0))
