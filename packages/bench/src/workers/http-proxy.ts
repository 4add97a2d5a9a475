import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { systemClock } from '@heddle/runtime'

// usage: PORT UPSTREAM LOG. A reverse proxy by the npm package http-proxy: request id, x-forwarded-for, access log.

/** As far as it is used here; the package brings no types. */
interface HttpProxy {
  createProxyServer(options: { target: string; agent: Agent; xfwd: boolean }): {
    web(request: IncomingMessage, response: ServerResponse): void
    on(event: 'error', listener: (error: Error, request: IncomingMessage, response: ServerResponse) => void): void
  }
}

const [port, upstream, file = '/dev/null'] = process.argv.slice(2)
const httpProxy = createRequire(import.meta.url)('http-proxy') as HttpProxy
const agent = new Agent({ keepAlive: true, maxSockets: 1024, maxFreeSockets: 1024 })
const proxy = httpProxy.createProxyServer({ target: `http://127.0.0.1:${upstream}`, agent, xfwd: true })
proxy.on('error', (_error, _request, response) => response.writeHead(502).end())
const log = createWriteStream(file)

createServer((request, response) => {
  const id = randomUUID()
  request.headers['x-request-id'] = id
  response.on('finish', () =>
    log.write(
      `[${new Date(systemClock.now()).toISOString()}] "${request.method} ${request.url}" ${response.statusCode} "${id}"\n`,
    ),
  )
  proxy.web(request, response)
}).listen(Number(port), '127.0.0.1')
