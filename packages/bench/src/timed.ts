import type { Contender, Goal, RoundContext, Sample } from './bench-case.js'
import { workerCommand } from './commands.js'
import { type Running, start, withProcesses } from './running.js'
import type { TimedReport } from './workers/timed.js'

export interface TimedOptions {
  readonly name: string
  /** A file of src/workers that calls `serveTimed`, and its arguments. */
  readonly worker: string
  readonly args: (context: RoundContext) => readonly string[]
  readonly goal?: Goal
  /** What becomes of the median milliseconds; default: nothing. */
  readonly scale?: (medianMs: number) => number
  /** Whether the worker's other figures are ours to show; default true. */
  readonly showMore?: boolean
  /** Whether the worker has something to check; default true. */
  readonly checks?: boolean
  /** So many times the usual warm-up; default 1. More where V8 takes longer to compile what is measured: a peer in Go or C++ came compiled. */
  readonly warmups?: number
}

/** A contender whose operations a worker times: the median in milliseconds. */
export function timed(options: TimedOptions): Contender {
  const { name, worker, args, goal, scale = (ms) => ms, showMore = true, checks = true, warmups = 1 } = options
  const ask = async (context: RoundContext, question: string): Promise<unknown> =>
    withProcesses(async (keep) => {
      const words = [...workerCommand(worker, context.built), ...args(context)]
      const running: Running = keep(start(context.placement, 'subject', words))
      await running.line()
      running.send(question)
      return JSON.parse(await running.line())
    })
  return {
    name,
    missing: undefined,
    ...(goal === undefined ? {} : { goal }),
    async check(context) {
      if (checks) await ask(context, 'check')
    },
    async measure(context): Promise<Sample> {
      const { warmupSeconds, measureSeconds } = context.effort
      const report = (await ask(context, `run ${warmupSeconds * warmups} ${measureSeconds}`)) as TimedReport
      return {
        value: scale(report.medianMs),
        cpuMicros: showMore ? report.cpuMicros : undefined,
        ...(showMore ? { more: report.more } : {}),
      }
    },
  }
}
