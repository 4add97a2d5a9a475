import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { call, cluster, endpoint, routeTable, startProxy, startUpstream, type TestProxy, type TestUpstream } from './harness.js'

// Half requests and silent connections. The long form is what an attacker would send.
const soak = process.env['HEDDLE_SOAK'] === '1'
const EACH = soak ? 5_000 : 500
// Longer than a busy machine takes to hear those that are served.
const CUT_AFTER_MS = 1_500
/** So many at once take their time to say anything at all. */
const IDLE_MS = soak ? 10_000 : CUT_AFTER_MS
const MOST_BYTES = 64 * 1024 * 1024

let upstream: TestUpstream
let proxy: TestProxy
beforeAll(async () => {
  upstream = await startUpstream((_, response) => response.end('served'))
  const timeouts = { idle: IDLE_MS, streamIdle: 0, request: 0, requestHeaders: CUT_AFTER_MS, drain: 0, delayedClose: 1_000 }
  proxy = await startProxy({
    table: routeTable('u'),
    clusters: [cluster('u', [endpoint(upstream.port)])],
    manager: { timeouts: { ...timeouts, maxConnectionDuration: 0, maxStreamDuration: 0 } },
  })
})
afterAll(async () => {
  await proxy.close()
  await upstream.close()
})

/** Not the resident set: newer engines let the space for what is young grow, whoever asks for it. */
function heldBytes(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

test(`slowloris: ${EACH} half requests and ${EACH} silent connections are cut, others are served throughout`, {
  timeout: soak ? 300_000 : 60_000,
}, async () => {
  const before = heldBytes()
  const script = fileURLToPath(new URL('slowloris-client.mjs', import.meta.url))
  const attacker = spawn(process.execPath, [script, String(proxy.port), String(EACH)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = new Promise((resolve) => attacker.once('exit', resolve))
  const said = createInterface({ input: attacker.stdout })[Symbol.asyncIterator]()
  let over = false
  const report = (async () => {
    expect((await said.next()).value).toBe('open')
    const last = String((await said.next()).value)
    over = true
    return JSON.parse(last) as { untold: number; spoken: number }
  })()
  const answers: number[] = []
  do answers.push((await call(proxy.port)).status)
  while (!over || answers.length < 20)
  expect(answers.filter((status) => status !== 200)).toEqual([])
  const { untold, spoken } = await report
  // A byte that arrives after the close can take the answer from its sender.
  expect(untold).toBeLessThan(EACH / 20)
  expect(spoken).toBe(0)
  await gone
  await expect.poll(() => proxy.manager.connections).toBeLessThanOrEqual(20)
  expect(heldBytes() - before).toBeLessThan(MOST_BYTES * (EACH / 500))
  expect((await call(proxy.port)).status).toBe(200)
})
