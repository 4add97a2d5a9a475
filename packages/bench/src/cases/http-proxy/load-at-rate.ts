import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runH2load } from '../../h2load.js'
import { percentile } from '../../statistics.js'
import type { Load } from './measure.js'

/** Of the requests that were asked for. Who makes fewer waits for answers, and does not see what it is to wait. */
const KEPT = 0.95

/** So many HTTP/1.1 requests a second, spread over the connections, each of which has one in flight. */
export function loadAtRate(connections: number, rate: number): Load {
  return async ({ placement, url, seconds }) => {
    const folder = await mkdtemp(join(tmpdir(), 'heddle-bench-load-'))
    try {
      const log = join(folder, 'requests')
      const flags = ['--h1', `--rps=${rate / connections}`, `--log-file=${log}`]
      const report = await runH2load({ placement, url, connections, streams: 1, seconds, flags })
      const times = readTimes(await readFile(log, 'utf8'))
      const wanted = rate * report.seconds
      const problem = report.requests < wanted * KEPT ? `of ${wanted} requests ${report.requests} were made in time` : undefined
      return {
        ...report,
        more: { 'p50 ms': percentile(times, 0.5), 'p99 ms': percentile(times, 0.99) },
        ...(problem === undefined ? {} : { problem }),
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  }
}

/** Milliseconds of each request that was answered, of h2load's log: start in microseconds, status, microseconds. */
export function readTimes(log: string): readonly number[] {
  return log.split('\n').flatMap((line) => {
    const [, status, micros] = line.split('\t')
    return micros === undefined || status === '-1' ? [] : [Number(micros) / 1000]
  })
}
