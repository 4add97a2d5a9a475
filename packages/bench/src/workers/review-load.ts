import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type TLSSocket } from 'node:tls'
import { systemClock } from '@heddle/runtime'
import { percentile } from '../statistics.js'

// usage: PORT FILE CONNECTIONS. The API server in front of a webhook: keeps one POST of the file in flight on each connection, over TLS and
// HTTP/1.1. wrk and h2load count 1,000 handshakes among the requests. For each line `WARMUP SECONDS` it says `"measuring"`, then a report.

export interface ReviewReport {
  readonly requests: number
  readonly seconds: number
  /** Answers without 200. */
  readonly bad: number
  readonly 'p50 ms': number
  readonly 'p99 ms': number
}

const [port = '', file = '', connections = '1'] = process.argv.slice(2)
const body = readFileSync(file)
const head = `POST /inject HTTP/1.1\r\nhost: webhook\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`
const request = Buffer.concat([Buffer.from(head), body])
/** How many open a connection at the same time. */
const OPENING = 32

let latencies: number[] = []
let bad = 0

function open(): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: Number(port), rejectUnauthorized: false }, () => {
      socket.off('error', reject)
      resolve(socket)
    })
    socket.once('error', reject)
  })
}

/** One review after the other, for ever. */
function ask(socket: TLSSocket): void {
  let started = 0
  let left = 0
  let early: Buffer = Buffer.alloc(0)
  const next = (): void => {
    started = systemClock.monotonic()
    socket.write(request)
  }
  socket.on('error', () => bad++)
  socket.on('close', () => bad++)
  socket.on('data', (chunk: Buffer) => {
    if (left > 0) left -= chunk.length
    else {
      const answer = early.length === 0 ? chunk : Buffer.concat([early, chunk])
      const end = answer.indexOf('\r\n\r\n')
      early = end < 0 ? answer : Buffer.alloc(0)
      if (end < 0) return
      const said = answer.toString('latin1', 0, end)
      if (!said.startsWith('HTTP/1.1 200')) bad++
      left = Number(/^content-length: (\d+)/im.exec(said)?.[1]) - (answer.length - end - 4)
    }
    if (left > 0) return
    latencies.push(systemClock.monotonic() - started)
    next()
  })
  next()
}

async function measure(warmup: number, seconds: number): Promise<ReviewReport> {
  await sleep(warmup * 1000)
  console.log('"measuring"')
  latencies = []
  bad = 0
  const start = systemClock.monotonic()
  await sleep(seconds * 1000)
  const all = latencies
  const report = { requests: all.length, seconds: (systemClock.monotonic() - start) / 1000, bad }
  return { ...report, 'p50 ms': percentile(all, 0.5), 'p99 ms': percentile(all, 0.99) }
}

const sockets: TLSSocket[] = []
let opened = 0
const opener = async (): Promise<void> => {
  while (opened++ < Number(connections)) sockets.push(await open())
}
await Promise.all(Array.from({ length: OPENING }, opener))
for (const socket of sockets) ask(socket)
console.log('"ready"')
for await (const line of createInterface({ input: process.stdin })) {
  const [warmup = 0, seconds = 0] = line.split(' ').map(Number)
  console.log(JSON.stringify(await measure(warmup, seconds)))
}
