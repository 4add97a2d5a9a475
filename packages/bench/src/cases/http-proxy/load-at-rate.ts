import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runH2load } from '../../h2load.js'
import { percentile } from '../../statistics.js'
import type { Load, LoadReport } from './measure.js'

/** Of the requests that were asked for. Who makes fewer waits for answers, and does not see what it is to wait. */
const KEPT = 0.95

// The connections of one h2load send at the same moment, each time: alone it would measure how long a burst of them all takes.
const PROCESSES = 10

/** So many HTTP/1.1 requests a second, spread over the connections and over time. Each connection has one in flight. */
export function loadAtRate(connections: number, rate: number): Load {
  return async ({ placement, url, seconds }) => {
    const folder = await mkdtemp(join(tmpdir(), 'heddle-bench-load-'))
    try {
      const logs = Array.from({ length: PROCESSES }, (_, i) => join(folder, `requests-${i}`))
      const flags = ['--h1', `--rps=${rate / connections}`]
      const options = { placement, url, connections: connections / PROCESSES, streams: 1, seconds }
      const reports = await Promise.all(logs.map((log) => runH2load({ ...options, flags: [...flags, `--log-file=${log}`] })))
      const texts = await Promise.all(logs.map((log) => readFile(log, 'utf8')))
      return allOf(reports, texts.flatMap(readTimes), rate)
    } finally {
      await rm(folder, { recursive: true })
    }
  }
}

/** `times`: milliseconds of each request of them all. */
export function allOf(reports: readonly LoadReport[], times: readonly number[], rate: number): LoadReport {
  const sum = (key: 'requests' | 'bytes' | 'badStatus' | 'socketErrors'): number =>
    reports.reduce((total, report) => total + report[key], 0)
  const seconds = Math.max(...reports.map((report) => report.seconds))
  const [requests, wanted] = [sum('requests'), rate * seconds]
  const problem = requests < wanted * KEPT ? `of ${wanted} requests ${requests} were made in time` : undefined
  return {
    requests,
    seconds,
    bytes: sum('bytes'),
    badStatus: sum('badStatus'),
    socketErrors: sum('socketErrors'),
    more: { 'p50 ms': percentile(times, 0.5), 'p99 ms': percentile(times, 0.99) },
    ...(problem === undefined ? {} : { problem }),
  }
}

/** Milliseconds of each request that was answered, of h2load's log: start in microseconds, status, microseconds. */
export function readTimes(log: string): readonly number[] {
  return log.split('\n').flatMap((line) => {
    const [, status, micros] = line.split('\t')
    return micros === undefined || status === '-1' ? [] : [Number(micros) / 1000]
  })
}
