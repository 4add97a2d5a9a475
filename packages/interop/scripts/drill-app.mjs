// An app of the namespace drill, which knows nothing of a mesh: it serves HTTP, TCP and UDP and tells each caller where it was reached, and
// makes calls as it is told, one JSON object a line on its standard input. Arguments: names of servers, `http:8080`.
import { createSocket } from 'node:dgram'
import { createServer as createHttp, request } from 'node:http'
import { connect, createServer as createTcp } from 'node:net'
import { createInterface } from 'node:readline'

const bare = (address) => (address ?? '').replace(/^::ffff:/, '')
const where = (socket) => ({ at: `${bare(socket.localAddress)}:${socket.localPort}`, from: bare(socket.remoteAddress) })

const servers = {
  http: (port) =>
    createHttp(async (req, res) => {
      const wait = Number(req.headers['x-wait-ms'] ?? 0)
      if (wait > 0) await new Promise((done) => setTimeout(done, wait))
      res.end(JSON.stringify({ ...where(req.socket), headers: req.headers }))
    })
      .on('connection', (socket) => socket.on('error', () => {}))
      .listen(port, '::', ready),
  tcp: (port) =>
    createTcp((socket) => {
      socket.on('error', () => {})
      socket.end(`${JSON.stringify(where(socket))}\n`)
    }).listen(port, '::', 4096, ready),
  udp: (port) => {
    const socket = createSocket('udp6')
    socket.on('message', (text, { address, port: from }) => socket.send(`${text} ${bare(address)}`, from, address))
    socket.bind(port, ready)
  },
}

let waiting = process.argv.length - 2
function ready() {
  if (--waiting <= 0) say({ ready: true })
}
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`)

const calls = {
  http: ({ host, port = 80, path = '/', headers = {}, timeout = 5_000 }) =>
    new Promise((done) => {
      const fail = (error) => done({ error: error.code ?? error.message })
      const req = request({ host, port, path, headers, timeout, agent: false }, (res) => {
        let text = ''
        res.on('data', (bytes) => (text += bytes))
        res.on('end', () => done({ status: res.statusCode, ...(text.startsWith('{') ? JSON.parse(text) : { text }) }))
        res.on('error', fail)
      })
      req.on('timeout', () => req.destroy(Object.assign(new Error('timeout'), { code: 'timeout' })))
      req.on('error', fail)
      req.end()
    }),
  tcp: ({ host, port, timeout = 5_000, send = '' }) =>
    new Promise((done) => {
      let text = ''
      const socket = connect({ host, port, timeout })
      if (send !== '') socket.write(send)
      socket.on('data', (bytes) => (text += bytes))
      socket.on('timeout', () => {
        socket.destroy()
        done({ error: 'timeout' })
      })
      socket.on('error', (error) => done({ error: error.code }))
      socket.on('close', () => done(text.startsWith('{') ? JSON.parse(text) : { error: 'closed', text }))
    }),
  udp: ({ host, port, text = 'hello', timeout = 3_000 }) =>
    new Promise((done) => {
      const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
      const timer = setTimeout(() => end({ error: 'timeout' }), timeout)
      const end = (value) => {
        clearTimeout(timer)
        socket.close()
        done(value)
      }
      socket.on('message', (answer) => end({ text: String(answer) }))
      socket.send(text, port, host)
    }),
  /** `count` connections to as many addresses, whose last two parts count up from 1; each must be told its own. */
  async many({ prefix, port, count, parallel = 50 }) {
    let next = 0
    const wrong = []
    const address = (i) => {
      const parts = [1 + Math.floor(i / 250), 1 + (i % 250)]
      return prefix + (prefix.includes(':') ? parts.map((part) => part.toString(16)).join(':') : parts.join('.'))
    }
    const work = async () => {
      for (let i = next++; i < count; i = next++) {
        const host = address(i)
        const { at, error } = await calls.tcp({ host, port, timeout: 20_000 })
        if (at !== `${host}:${port}`) wrong.push({ host, at, error })
      }
    }
    await Promise.all(Array.from({ length: parallel }, work))
    return { count, wrong: wrong.length, sample: wrong.slice(0, 3) }
  },
}

for (const word of process.argv.slice(2)) {
  const [kind, port] = word.split(':')
  servers[kind](Number(port))
}
if (process.argv.length === 2) ready()
createInterface({ input: process.stdin }).on('line', async (line) => {
  const { id, call, ...options } = JSON.parse(line)
  say({ id, result: await calls[call](options) })
})
