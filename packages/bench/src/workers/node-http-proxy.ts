import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { Agent, createServer, request as send } from 'node:http'
import { pipeline } from 'node:stream'
import { systemClock } from '@heddle/runtime'

// usage: PORT UPSTREAM LOG. A reverse proxy as one writes it with node:http: request id, x-forwarded-for, access log.

const [port, upstream, file = '/dev/null'] = process.argv.slice(2)
const agent = new Agent({ keepAlive: true, maxSockets: 1024, maxFreeSockets: 1024 })
const log = createWriteStream(file)
let lines = ''

function writeLine(line: string): void {
  lines += line
  if (lines.length < 65_536) return
  log.write(lines)
  lines = ''
}

const server = createServer((request, response) => {
  const id = randomUUID()
  const { connection, 'keep-alive': _, ...headers } = request.headers
  const onward = send({
    host: '127.0.0.1',
    port: Number(upstream),
    agent,
    method: request.method,
    path: request.url,
    headers: { ...headers, 'x-request-id': id, 'x-forwarded-for': request.socket.remoteAddress ?? '' },
  })
  onward.on('response', (answer) => {
    const { connection: __, 'keep-alive': ___, ...kept } = answer.headers
    response.writeHead(answer.statusCode ?? 502, kept)
    pipeline(answer, response, () => {
      writeLine(
        `[${new Date(systemClock.now()).toISOString()}] "${request.method} ${request.url}" ${answer.statusCode} "${id}"\n`,
      )
    })
  })
  onward.on('error', () => {
    if (!response.headersSent) response.writeHead(502).end()
    else response.destroy()
  })
  pipeline(request, onward, () => {})
})
server.listen(Number(port), '127.0.0.1')
