import { createInterface } from 'node:readline'
import { systemClock } from '@heddle/runtime'

/** Work that is done in a loop by a process of its own. */
export interface Work {
  /** Results of a few operations, for the check; JSON. */
  show(): unknown
  /** One operation. */
  run(): void | Promise<void>
  /** Figures of the measured operations beside the rate, by name; asked for once, at the end. */
  more?(report: Pick<WorkReport, 'operations' | 'seconds'>): Readonly<Record<string, number>>
}

/** What `run` answers. */
export interface WorkReport {
  readonly operations: number
  readonly seconds: number
  /** Of the process, with its garbage collector. */
  readonly cpuSeconds: number
  readonly more?: Readonly<Record<string, number>>
}

/** The worker's side: reads `show` or `run WARMUP SECONDS`, one a line, and answers each with a line of JSON. */
export async function serveWork(work: Work): Promise<void> {
  console.log('"ready"')
  for await (const line of createInterface({ input: process.stdin })) {
    const [verb, warmup = '0', seconds = '0'] = line.split(' ')
    if (verb === 'show') console.log(JSON.stringify(work.show()))
    else {
      await repeat(work, Number(warmup))
      const report = await repeat(work, Number(seconds))
      console.log(JSON.stringify(work.more === undefined ? report : { ...report, more: work.more(report) }))
    }
  }
}

/** At least once; the clock is read every 16 operations at most, and after each that takes milliseconds. */
async function repeat({ run }: Work, seconds: number): Promise<Omit<WorkReport, 'more'>> {
  const cpuBefore = process.cpuUsage()
  const start = systemClock.monotonic()
  let operations = 0
  let elapsed = 0
  let batch = 1
  do {
    for (let i = 0; i < batch; i++) {
      const answer = run()
      if (answer !== undefined) await answer
      operations++
    }
    elapsed = (systemClock.monotonic() - start) / 1000
    batch = elapsed / operations < 0.002 ? 16 : 1
  } while (elapsed < seconds)
  const cpu = process.cpuUsage(cpuBefore)
  return { operations, seconds: elapsed, cpuSeconds: (cpu.user + cpu.system) / 1e6 }
}
