import { readFileSync } from 'node:fs'
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DeltaDiscoveryRequest, DiscoveryRequest } from '@heddle/xds-types/envoy/service/discovery/v3'
import { percentile } from '../statistics.js'

// usage: PORT STREAMS (sotw | delta) TYPE_URL NAME (plain | FOLDER). That many proxies, each with a connection of its own, over bare HTTP/2:
// they acknowledge, and look at nothing but version and nonce. Says `{}` once all have an answer. On stdin:
//   expect      says `{}`, and when every stream has had one response more: when, in microseconds of the wall clock, and how large
//   stuck N     N streams read no more, and no others
//   reconnect   all go and come back; says how long that took
//   last        the body of the last response of the first stream, in base64

export interface Arrivals {
  readonly median: number
  readonly p99: number
  readonly last: number
  /** Of one response. */
  readonly bytes: number
}

type Variant = 'sotw' | 'delta'
const [port, count = '1', kind = 'delta', typeUrl = '', name = '*', security = 'plain'] = process.argv.slice(2)
const variant = kind as Variant
const METHOD = { sotw: 'StreamAggregatedResources', delta: 'DeltaAggregatedResources' }[variant]
const HEADERS = {
  ':method': 'POST',
  ':path': `/envoy.service.discovery.v3.AggregatedDiscoveryService/${METHOD}`,
  'content-type': 'application/grpc',
  te: 'trailers',
}
const now = (): number => Math.round((performance.timeOrigin + performance.now()) * 1_000)
const say = (what: object): void => console.log(JSON.stringify(what))

interface Proxy {
  readonly session: ClientHttp2Session
  readonly stream: ClientHttp2Stream
}

const proxies = new Map<number, Proxy>()
const stuck = new Set<number>()
const served = new Set<number>()
// By stream: one that comes back meanwhile counts once.
const arrivals = new Map<number, number>()
let waiting = false
let last: Buffer = Buffer.alloc(0)
let whenServed = (): void => {}

function frame(message: Uint8Array): Buffer {
  const framed = Buffer.alloc(5 + message.length)
  framed.writeUInt32BE(message.length, 1)
  framed.set(message, 5)
  return framed
}

function request(id: number, first: boolean, version: string, nonce: string): Buffer {
  const common = { type_url: typeUrl, ...(first ? { node: { id: `proxy-${id}`, cluster: 'bench' } } : { response_nonce: nonce }) }
  if (variant === 'delta') {
    return frame(DeltaDiscoveryRequest.encode({ ...common, ...(first ? { resource_names_subscribe: [name] } : {}) }))
  }
  return frame(DiscoveryRequest.encode({ ...common, version_info: version, resource_names: [name] }))
}

function received(id: number, message: Buffer): void {
  const { version, nonce } = readEnds(message)
  proxies.get(id)?.stream.write(request(id, false, version, nonce))
  if (id === 0) last = message
  if (waiting && !stuck.has(id) && arrivals.set(id, now()).size === Number(count) - stuck.size) {
    waiting = false
    const times = [...arrivals.values()]
    const [median, p99, latest] = [percentile(times, 0.5), percentile(times, 0.99), percentile(times, 1)]
    const arrived: Arrivals = { median, p99, last: latest, bytes: message.length }
    say(arrived)
  }
  if (!served.has(id) && served.add(id).size === Number(count)) whenServed()
}

/** `version_info` (1) and `nonce` (5); resources are stepped over. */
function readEnds(message: Buffer): { version: string; nonce: string } {
  const found = { version: '', nonce: '' }
  let at = 0
  const varint = (): number => {
    let [value, shift] = [0, 1]
    for (;;) {
      const byte = message[at++] ?? 0
      value += (byte & 127) * shift
      if (byte < 128) return value
      shift *= 128
    }
  }
  while (at < message.length) {
    const field = varint() >> 3
    const length = varint()
    if (field === 1) found.version = message.toString('utf8', at, at + length)
    if (field === 5) found.nonce = message.toString('utf8', at, at + length)
    at += length
  }
  return found
}

function open(id: number, backOffMs = 100): void {
  const session = connect(`${security === 'plain' ? 'http' : 'https'}://127.0.0.1:${port}`, tls())
  const stream = session.request(HEADERS, { endStream: false })
  proxies.set(id, { session, stream })
  const again = (): void => {
    session.destroy()
    if (proxies.get(id)?.session === session)
      setTimeout(() => open(id, Math.min(backOffMs * 2, 3_000)), backOffMs * (0.5 + Math.random()))
  }
  // A server that is full says so with a status, and the client comes back later, as they all do.
  session.on('error', again)
  stream.on('error', () => {})
  // A server that refuses has ended its half: ours is still open.
  stream.once('end', () => stream.close())
  stream.once('close', again)
  let buffered: Buffer = Buffer.alloc(0)
  stream.on('data', (chunk: Buffer) => {
    buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk])
    while (buffered.length >= 5 && buffered.length >= 5 + buffered.readUInt32BE(1)) {
      const end = 5 + buffered.readUInt32BE(1)
      const message = buffered.subarray(5, end)
      buffered = buffered.subarray(end)
      received(id, message)
    }
  })
  stream.write(request(id, true, '', ''))
}

function tls(): object {
  if (security === 'plain') return {}
  const read = (file: string): Buffer => (files[file] ??= readFileSync(join(security, file)))
  return { ca: read('roots.pem'), cert: read('certificate.pem'), key: read('key.pem'), checkServerIdentity: () => undefined }
}

const files: Record<string, Buffer> = {}

function openAll(): Promise<void> {
  served.clear()
  return new Promise((resolve) => {
    whenServed = resolve
    for (let id = 0; id < Number(count); id++) open(id)
  })
}

await openAll()
say({})
for await (const line of createInterface({ input: process.stdin })) {
  const [word, number] = line.split(' ')
  if (word === 'expect') {
    arrivals.clear()
    waiting = true
    say({})
  } else if (word === 'stuck') {
    for (const id of stuck) proxies.get(id)?.stream.resume()
    stuck.clear()
    for (let id = Number(count) - Number(number); id < Number(count); id++) {
      stuck.add(id)
      proxies.get(id)?.stream.pause()
    }
    say({})
  } else if (word === 'reconnect') {
    const begin = performance.now()
    const old = [...proxies.values()]
    proxies.clear()
    for (const { session } of old) session.destroy()
    await openAll()
    say({ ms: performance.now() - begin })
  } else if (word === 'last') say({ body: last.toString('base64') })
}
