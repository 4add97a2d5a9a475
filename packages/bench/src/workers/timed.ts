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

/** What `run` answers; the median is that of the lots' means. */
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

/** So long operations are timed together: short ones then have their share of the garbage collection, as they have in the figures of Go's benchmarks. */
const LOT_MS = 25

/** At least three lots. */
function repeat(work: TimedWork, seconds: number): TimedReport {
  const times: number[] = []
  let operations = 0
  let cpu = 0
  const end = systemClock.monotonic() + seconds * 1000
  do {
    work.prepare?.()
    const cpuBefore = process.cpuUsage()
    const lot = timeLot(work)
    const used = process.cpuUsage(cpuBefore)
    times.push(lot.ms / lot.operations)
    operations += lot.operations
    cpu += used.user + used.system
  } while (systemClock.monotonic() < end || times.length < 3)
  times.sort((a, b) => a - b)
  return { medianMs: times[times.length >> 1] ?? 0, operations, cpuMicros: cpu / operations, more: work.more?.() ?? {} }
}

/** What has to be prepared is a lot of its own. */
function timeLot({ prepare, run }: TimedWork): { ms: number; operations: number } {
  const start = systemClock.monotonic()
  let operations = 0
  let ms = 0
  do {
    run()
    operations++
    ms = systemClock.monotonic() - start
  } while (prepare === undefined && ms < LOT_MS)
  return { ms, operations }
}
