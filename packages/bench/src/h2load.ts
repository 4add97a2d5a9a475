import type { LoadReport } from './cases/http-proxy/measure.js'
import { findH2load } from './peers/find.js'
import type { Placement } from './placement.js'
import { start } from './running.js'

export interface H2loadOptions {
  readonly placement: Placement
  readonly url: string
  readonly connections: number
  /** Requests in flight on each connection. */
  readonly streams: number
  readonly seconds: number
  /** More of h2load's own. */
  readonly flags?: readonly string[]
}

/** h2load on the load core, one thread, HTTP/2 with prior knowledge unless the flags say otherwise. */
export async function runH2load({
  placement,
  url,
  connections,
  streams,
  seconds,
  flags = [],
}: H2loadOptions): Promise<LoadReport> {
  const time = Math.max(1, Math.round(seconds))
  const words = [findH2load()!.path, '-t1', `-c${connections}`, `-m${streams}`, `-D${time}`, '-w24', '-W24', ...flags, url]
  const running = start(placement, 'load', words)
  let text = ''
  try {
    for (;;) {
      const line = await running.line((time + 30) * 1000)
      text += `${line}\n`
      if (line.startsWith('req/s ')) return { ...readH2load(text), seconds: time }
    }
  } finally {
    await running.stop()
  }
}

const UNITS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 }

/** The summary that h2load prints. Of times it tells the least, the most, the mean and the deviation. */
export function readH2load(text: string): Omit<LoadReport, 'seconds'> {
  const number = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? Number.NaN)
  const [, mean = '', unit = ''] = /^time for request: +\S+ +\S+ +([\d.]+)(us|ms|s)/m.exec(text) ?? []
  return {
    requests: number(/, (\d+) succeeded,/),
    bytes: number(/\((\d+)\) data$/m),
    badStatus: number(/, (\d+) 4xx,/) + number(/, (\d+) 5xx$/m),
    socketErrors: number(/, (\d+) errored,/) + number(/, (\d+) timeout$/m),
    more: { 'mean ms': Number(mean) * (UNITS[unit] ?? Number.NaN) },
  }
}
