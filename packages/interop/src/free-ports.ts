import { createServer } from 'node:net'
import { systemRandom } from '@heddle/runtime'

// Below the range from which systems take ports for outgoing connections and for those who ask for any: what is free stays free until it
// is used. Each test worker has a share of its own, so that two that run at once choose apart.
const FIRST = 20_000
const SHARE = 1_500
const SHARES = 8
const first = FIRST + (Number(process.env['VITEST_POOL_ID'] ?? 0) % SHARES) * SHARE

let next = Math.floor(systemRandom.next() * SHARE)

/** So many ports that nobody listens on, all different, none twice. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  for (let tries = 0; ports.length < count; tries++) {
    if (tries === SHARE) throw new Error(`no ${count} free ports from ${first} on`)
    const port = first + (next++ % SHARE)
    if (await isFree(port)) ports.push(port)
  }
  return ports
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    // As those who take it: on all addresses.
    probe.listen(port, '0.0.0.0', () => probe.close(() => resolve(true)))
  })
}
