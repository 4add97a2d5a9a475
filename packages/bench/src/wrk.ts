import { join } from 'node:path'
import type { LoadReport } from './cases/http-proxy/measure.js'
import { findWrk } from './peers/find.js'
import type { Placement } from './placement.js'
import { type Running, start } from './running.js'

const REPORT = join(import.meta.dirname, '../scripts/wrk-report.lua')

/** What wrk-report.lua prints. */
interface WrkReport extends Omit<LoadReport, 'more'> {
  readonly p50ms: number
  readonly p99ms: number
}

export interface WrkOptions {
  readonly placement: Placement
  readonly url: string
  readonly connections: number
  readonly seconds: number
  readonly headers?: Readonly<Record<string, string>>
}

/** wrk on the load core, one thread. It takes whole seconds. */
export async function runWrk({ placement, url, connections, seconds, headers = {} }: WrkOptions): Promise<LoadReport> {
  const lines = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const words = [
    findWrk()!.path,
    '-t1',
    `-c${connections}`,
    `-d${Math.max(1, Math.round(seconds))}s`,
    '-s',
    REPORT,
    ...lines,
    url,
  ]
  const running: Running = start(placement, 'load', words)
  try {
    const { p50ms, p99ms, ...report } = await reportOf(running, seconds)
    return { ...report, more: { 'p50 ms': p50ms, 'p99 ms': p99ms } }
  } finally {
    await running.stop()
  }
}

/** It says nothing while it measures. */
async function reportOf(running: Running, seconds: number): Promise<WrkReport> {
  for (;;) {
    const line = await running.line((seconds + 30) * 1000)
    if (line.startsWith('JSON ')) return JSON.parse(line.slice('JSON '.length)) as WrkReport
  }
}
