import { createInterface } from 'node:readline'
import { systemClock } from '@heddle/runtime'

/** Work of which each operation is timed. */
export interface TimedWork {
  /** Throws when what comes out is not what should. */
  check(): void
  /** One operation, timed; `prepare` before it is not. */
  prepare?(): void
  run(): void
  /** More figures by name. */
  more?(): Readonly<Record<string, number>>
}

/** What `run` answers. */
export interface TimedReport {
  readonly medianMs: number
  readonly operations: number
  readonly cpuMicros: number
  readonly more: Readonly<Record<string, number>>
}

/** The worker's side: reads `check` or `run WARMUP SECONDS`, one a line, and answers each with a line of JSON. */
export async function serveTimed(work: TimedWork): Promise<void> {
  console.log('"ready"')
  for await (const line of createInterface({ input: process.stdin })) {
    const [verb, warmup = '0', seconds = '0'] = line.split(' ')
    if (verb === 'check') {
      work.check()
      console.log('"checked"')
    } else {
      repeat(work, Number(warmup))
      console.log(JSON.stringify(repeat(work, Number(seconds))))
    }
  }
}

/** At least three times. */
function repeat(work: TimedWork, seconds: number): TimedReport {
  const times: number[] = []
  let cpu = 0
  const end = systemClock.monotonic() + seconds * 1000
  do {
    work.prepare?.()
    const cpuBefore = process.cpuUsage()
    const start = systemClock.monotonic()
    work.run()
    times.push(systemClock.monotonic() - start)
    const used = process.cpuUsage(cpuBefore)
    cpu += used.user + used.system
  } while (systemClock.monotonic() < end || times.length < 3)
  times.sort((a, b) => a - b)
  return {
    medianMs: times[times.length >> 1] ?? 0,
    operations: times.length,
    cpuMicros: cpu / times.length,
    more: work.more?.() ?? {},
  }
}
