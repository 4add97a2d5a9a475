import type { BenchCase, Contender } from '../../bench-case.js'
import { findH2load, findNginx, missingProgram } from '../../peers/find.js'
import { CONNECTIONS, contender, type Harness, http1, peer } from './harness.js'
import { loadAtRate } from './load-at-rate.js'
import { heddle, nginx } from './proxies.js'

const RATE = 10_000
const AT_RATE = 50
const plain = { protocol: 'HTTP1', chain: false } as const

/** What one request in a hundred waits at least. */
export function latencyCases(): readonly BenchCase[] {
  const saturated: Harness = { ...http1(), judged: 'p99' }
  const missing = findH2load() === undefined ? missingProgram('h2load') : saturated.missing
  const load = loadAtRate(AT_RATE, RATE)
  const atRate: Harness = { ...saturated, judged: 'p99 at a rate', missing, load }
  const unit = { bench: 'http1-latency', unit: 'ms', better: 'lower' } as const
  const behindNginx = peer(atRate, 'nginx', nginx(), findNginx())
  return [
    {
      ...unit,
      name: `p99 at ${RATE / 1000}k requests/s, ${AT_RATE} connections, 1 KiB; router and access log`,
      ours: contender(atRate, 'heddle proxy', heddle(plain)),
      peers: [behindNginx, andMore(behindNginx, 2), andMore(behindNginx, 0.5)],
    },
    {
      ...unit,
      name: `p99 at saturation, ${CONNECTIONS} connections, 1 KiB; router and access log`,
      ours: contender(saturated, 'heddle proxy', heddle(plain)),
      peers: [peer(saturated, 'nginx', nginx(), findNginx(), { must: 1 / 3, after: 1 / 1.5 })],
    },
  ]
}

/** The goals are distances: who is no slower than such a peer has reached one. */
function andMore(one: Contender, ms: number): Contender {
  return {
    ...one,
    name: `${one.name} and ${ms} ms`,
    goal: { must: 1, after: 1 },
    async measure(context) {
      const sample = await one.measure(context)
      return { ...sample, value: sample.value + ms }
    },
  }
}
