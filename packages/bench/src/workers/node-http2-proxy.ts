import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { connect, createServer } from 'node:http2'
import { pipeline } from 'node:stream'
import { systemClock } from '@heddle/runtime'

// usage: PORT UPSTREAM LOG. A reverse proxy as one writes it with node:http2: request id, access log, trailers.

const [port, upstream, file = '/dev/null'] = process.argv.slice(2)
const settings = { initialWindowSize: 1 << 20, maxConcurrentStreams: 1000 }
const onward = connect(`http://127.0.0.1:${upstream}`, { settings })
const log = createWriteStream(file)

const server = createServer({ settings })
server.on('stream', (stream, headers) => {
  const id = randomUUID()
  const request = onward.request({ ...headers, 'x-request-id': id })
  let trailers = {}
  stream.on('error', () => request.destroy())
  request.on('error', () => stream.destroy())
  request.on('trailers', (got) => void (trailers = got))
  request.on('response', (answer) => {
    // A client that is gone.
    if (stream.destroyed) return
    stream.respond(answer, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers(trailers))
    pipeline(request, stream, () => {
      log.write(
        `[${new Date(systemClock.now()).toISOString()}] "${headers[':method']} ${headers[':path']}" ${answer[':status']} "${id}"\n`,
      )
    })
  })
  pipeline(stream, request, () => {})
})
server.listen(Number(port), '127.0.0.1')
