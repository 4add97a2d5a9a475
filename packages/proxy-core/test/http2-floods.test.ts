import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cluster, endpoint, routeTable, startProxy, startUpstream, type TestProxy, type TestUpstream } from './harness.js'
import { http2Call, http2Client } from './http2-harness.js'
import {
  block,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  GET,
  headers,
  POST,
  PREFACE,
  rawClient,
  settings,
  TYPE,
  u32,
} from './http2-raw.js'

/** Connections that make more work than they pay for are closed, in bounded memory, while others are served. */

const MIB = 1024 * 1024
const MOST_MEMORY = 32 * MIB

let upstream: TestUpstream
let proxy: TestProxy
beforeAll(async () => {
  upstream = await startUpstream((request, response) => request.resume().on('end', () => response.end('taken')))
  proxy = await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(upstream.port)])] })
})
afterAll(async () => {
  await proxy.close()
  await upstream.close()
})

const many = (count: number, make: (i: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, i) => make(i)))
const get = block(GET)
const large = block([['b', 'a'.repeat(4000)]])
/** Inserts a cookie of 3,900 octets into the table. */
const insertCookie = Buffer.concat([Buffer.from([0x60, 0x7f, 0xbd, 0x1d]), Buffer.alloc(3900, 0x61)])

const FLOODS: readonly (readonly [name: string, bytes: () => Buffer])[] = [
  [
    'rapid reset (CVE-2023-44487)',
    () => many(50_000, (i) => Buffer.concat([headers(1 + 2 * i, get), frame(TYPE.rstStream, 0, 1 + 2 * i, u32(8))])),
  ],
  [
    'CONTINUATION (CVE-2024-27919)',
    () => Buffer.concat([headers(1, get, END_STREAM), many(2000, () => frame(TYPE.continuation, 0, 1, large))]),
  ],
  [
    'empty CONTINUATION (CVE-2024-27983, CVE-2024-30255)',
    () => Buffer.concat([headers(1, get, END_STREAM), many(100_000, () => frame(TYPE.continuation, 0, 1))]),
  ],
  ['SETTINGS (CVE-2019-9515)', () => many(100_000, () => settings())],
  ['PING (CVE-2019-9512)', () => many(100_000, () => frame(TYPE.ping, 0, 0, Buffer.alloc(8)))],
  ['empty DATA (CVE-2019-9518)', () => Buffer.concat([headers(1, POST, END_HEADERS), many(100_000, () => data(1, ''))])],
  [
    'PRIORITY (CVE-2019-9513)',
    () => many(100_000, (i) => frame(TYPE.priority, 0, 1 + 2 * (i % 1000), Buffer.from([0, 0, 0, 0, 16]))),
  ],
  ['WINDOW_UPDATE (CVE-2019-9511)', () => many(100_000, () => frame(TYPE.windowUpdate, 0, 0, u32(1)))],
  [
    'a cookie bomb by HPACK references (CVE-2026-47774, CVE-2026-56846)',
    () =>
      Buffer.concat([
        headers(1, Buffer.concat([get, insertCookie]), END_HEADERS),
        many(34, (i) => headers(3 + 2 * i, Buffer.concat([get, Buffer.alloc(3000, 0xbe)]), END_HEADERS)),
      ]),
  ],
  [
    'HEADERS that RST_STREAM answers, without end (CVE-2019-9514)',
    () => many(100_000, (i) => headers(1 + 2 * i, Buffer.alloc(0), END_HEADERS)),
  ],
  [
    'fields without names (CVE-2019-9516)',
    () => many(50_000, (i) => headers(1 + 2 * i, Buffer.concat([get, Buffer.alloc(300)]), END_HEADERS | END_STREAM)),
  ],
]

describe('floods', () => {
  test.each(FLOODS)('%s', async (_, make) => {
    const bytes = make()
    const other = http2Client(proxy.port)
    expect((await http2Call(other)).status).toBe(200)
    const before = process.memoryUsage().rss
    const client = await rawClient(proxy.port)
    for (let at = 0; at < bytes.length && !client.closed; at += 65536) {
      client.socket.write(bytes.subarray(at, at + 65536))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await client.next(() => false)
    expect(client.closed).toBe(true)
    expect(process.memoryUsage().rss - before).toBeLessThan(MOST_MEMORY)
    expect((await http2Call(other)).status).toBe(200)
    other.destroy()
  })
})

interface Felt {
  /** Milliseconds of each request. */
  readonly times: readonly number[]
  readonly failed: number
}

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** Somebody else, whose requests are timed from one call to the next. */
function startOther(port: number): { felt(): Promise<Felt>; close(): Promise<unknown> } {
  const child = spawn(process.execPath, [script('latency-client.mjs'), String(port)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const gone = new Promise((resolve) => child.once('exit', resolve))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async felt() {
      child.stdin.write('\n')
      return JSON.parse(String((await lines.next()).value)) as Felt
    },
    close() {
      child.kill()
      return gone
    },
  }
}

/** How long a process that writes the file was let do so, in milliseconds. */
async function floodFrom(port: number, file: string): Promise<number> {
  const child = spawn(process.execPath, [script('flood-client.mjs'), String(port), file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await Promise.all([
    createInterface({ input: child.stdout })[Symbol.asyncIterator]().next(),
    new Promise((resolve) => child.once('exit', resolve)),
  ])
  return (JSON.parse(String(line.value)) as { ms: number }).ms
}

// Times mean something on a machine that does nothing else.
describe.runIf(process.env['HEDDLE_SOAK'] === '1')('soak: floods from other processes, and what others feel', () => {
  const MOST_MS = 250
  const ROUNDS = 8
  /** Below it, p99 of a few thousand requests is the noise of two cores. */
  const NOISE_MS = 5
  const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
  const p99 = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? 0

  test.each(FLOODS)('%s', { timeout: 120_000 }, async (name, make) => {
    const folder = mkdtempSync(join(tmpdir(), 'heddle-flood-'))
    const fileOf = (kind: string, bytes: Buffer): string => {
      const file = join(folder, kind)
      writeFileSync(file, Buffer.concat([PREFACE, settings(), bytes]))
      return file
    }
    // A process costs its start, whatever it sends: those that are refused at once are what floods are compared with.
    const files = { refused: fileOf('refused', frame(TYPE.ping, 0, 0, Buffer.alloc(1))), flood: fileOf('flood', make()) }
    const felt = { refused: [] as number[], flood: [] as number[] }
    const closedAfter: number[] = []
    const other = startOther(proxy.port)
    await wait(2_000)
    await other.felt()
    for (let round = 0; round < ROUNDS; round++)
      for (const kind of ['refused', 'flood'] as const) {
        const ms = await floodFrom(proxy.port, files[kind])
        if (kind === 'flood') closedAfter.push(ms)
        await wait(400)
        const { times, failed } = await other.felt()
        expect(failed).toBe(0)
        felt[kind].push(...times)
      }
    await other.close()
    rmSync(folder, { recursive: true })
    const [before, meanwhile] = [p99(felt.refused), p99(felt.flood)]
    const told = `${closedAfter.map(Math.round)} ms; p99 of others ${before.toFixed(1)} -> ${meanwhile.toFixed(1)} ms`
    console.log(`${name}: closed after ${told} of ${felt.flood.length}`)
    // All but one of them: a process may have to wait for its turn.
    expect(closedAfter.toSorted((a, b) => a - b).at(-2)).toBeLessThan(MOST_MS)
    expect(felt.flood.length).toBeGreaterThan(500)
    expect(meanwhile).toBeLessThan(2 * Math.max(before, NOISE_MS))
  })
})

test('a client that does not read what it asked for is not remembered for more than a window each (CVE-2019-9517)', async () => {
  const body = Buffer.alloc(4 * MIB, 1)
  let asked = 0
  const big = await startUpstream((_, response) => {
    asked++
    response.end(body)
  })
  const slow = await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(big.port)])] })
  const client = await rawClient(slow.port)
  client.socket.pause()
  const before = process.memoryUsage().rss
  client.send(
    settings([4, 2 ** 31 - 1]),
    frame(TYPE.windowUpdate, 0, 0, u32(2 ** 30)),
    many(100, (i) => headers(1 + 2 * i, get)),
  )
  while (asked < 100) await new Promise((resolve) => setTimeout(resolve, 50))
  await new Promise((resolve) => setTimeout(resolve, 500))
  // The upstream of this test lives in the same process: its 400 MiB are one buffer shared.
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * MIB)
  client.close()
  await slow.close()
  await big.close()
})

test('one octet a frame costs what its octets cost (CVE-2020-8659, CVE-2026-84304)', async () => {
  const client = await rawClient(proxy.port)
  const octets = many(60_000, () => data(1, 'x'))
  const before = process.memoryUsage().rss
  client.send(headers(1, POST, END_HEADERS), octets, data(1, '', END_STREAM))
  const answer = await client.next(({ type }) => type === TYPE.headers)
  expect(answer).toBeDefined()
  expect(process.memoryUsage().rss - before).toBeLessThan(MOST_MEMORY)
  client.close()
})

test('PREFACE alone waits for its SETTINGS and nothing else', async () => {
  const client = await rawClient(proxy.port, false)
  client.send(PREFACE, frame(TYPE.ping, 0, 0, Buffer.alloc(8)))
  await client.next(() => false)
  expect(client.closed).toBe(true)
})
