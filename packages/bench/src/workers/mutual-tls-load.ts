import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, createSecureContext, type TLSSocket } from 'node:tls'
import { systemClock } from '@heddle/runtime'

// usage: PORT FOLDER (handshakes | requests) CONCURRENCY. A client by mTLS with FOLDER's client.crt, client.key and root.crt: a connection for
// each request and never the session of an earlier one, or requests on connections that are kept. Says `{}`, then for each `run SECONDS` on
// stdin one MutualTlsReport.

export interface MutualTlsReport {
  readonly operations: number
  readonly seconds: number
  /** The first thing that went wrong. */
  readonly failure?: string
}

const [port = '', folder = '', mode = 'handshakes', concurrency = '1'] = process.argv.slice(2)
const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
const secureContext = createSecureContext({ key: read('client.key'), cert: read('client.crt'), ca: read('root.crt') })
const SERVER = 'URI:spiffe://cluster.local/ns/bench/sa/server'
const REQUEST = Buffer.from('GET / HTTP/1.1\r\nhost: bench\r\n\r\n')
const BODY_BYTES = 1024

let [running, operations] = [false, 0]
let failure: string | undefined

function open(): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const checkServerIdentity = (_: string, { subjectaltname }: { subjectaltname?: string }): Error | undefined =>
      subjectaltname === SERVER ? undefined : new Error(`the server is ${subjectaltname}`)
    const options = { host: '127.0.0.1', port: Number(port), secureContext, ALPNProtocols: ['http/1.1'], checkServerIdentity }
    const socket: TLSSocket = connect(options, () => resolve(socket))
    socket.setNoDelay()
    socket.once('error', reject)
  })
}

/** In TLS 1.3 only an answer says that the certificate of the client was taken. */
function ask(socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = ''
    const onData = (bytes: Buffer): void => {
      text += bytes.toString('latin1')
      const head = text.indexOf('\r\n\r\n')
      if (head < 0 || text.length < head + 4 + BODY_BYTES) return
      socket.off('data', onData)
      socket.off('close', onClose)
      if (text.startsWith('HTTP/1.1 200')) resolve()
      else reject(new Error(text.slice(0, 100)))
    }
    const onClose = (): void => reject(new Error('the connection was closed'))
    socket.on('data', onData)
    socket.once('close', onClose)
    socket.write(REQUEST)
  })
}

async function loop(): Promise<void> {
  let kept: TLSSocket | undefined
  while (running) {
    try {
      const socket = kept ?? (await open())
      await ask(socket)
      operations++
      if (mode === 'requests') kept = socket
      else socket.destroy()
    } catch (error) {
      failure ??= String(error)
      kept = undefined
      await sleep(100)
    }
  }
  kept?.destroy()
}

createInterface({ input: process.stdin }).on('line', async (line) => {
  operations = 0
  failure = undefined
  running = true
  const start = systemClock.monotonic()
  const loops = Array.from({ length: Number(concurrency) }, loop)
  await sleep(Number(line.split(' ')[1]) * 1000)
  running = false
  await Promise.all(loops)
  const seconds = (systemClock.monotonic() - start) / 1000
  const report: MutualTlsReport = { operations, seconds, ...(failure === undefined ? {} : { failure }) }
  console.log(JSON.stringify(report))
})
console.log('{}')
