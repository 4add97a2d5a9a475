import type { Contender, Goal, RoundContext, Sample } from './bench-case.js'
import { workerCommand } from './commands.js'
import { type Running, start, withProcesses } from './running.js'
import type { WorkReport } from './workers/work.js'

export interface LoopedOptions {
  readonly name: string
  /** A file of src/workers that calls `serveWork`, and its arguments. */
  readonly worker: string
  readonly args: readonly string[] | ((context: RoundContext) => readonly string[])
  /** What one operation counts for in the case's unit; default 1. */
  readonly units?: (context: RoundContext) => number
  readonly goal?: Goal
  /** Throws what is wrong with the worker's results. */
  verify(shown: unknown): void
}

/** A contender whose work is a loop in a worker: operations a second, no load from outside. */
export function looped({ name, worker, args, units = () => 1, goal, verify }: LoopedOptions): Contender {
  const run = <T>(context: RoundContext, use: (running: Running) => Promise<T>): Promise<T> =>
    withProcesses(async (keep) => {
      const own = typeof args === 'function' ? args(context) : args
      const running = keep(start(context.placement, 'subject', [...workerCommand(worker, context.built), ...own]))
      await running.line()
      return use(running)
    })
  const ask = async (running: Running, question: string): Promise<unknown> => {
    running.send(question)
    return JSON.parse(await running.line())
  }
  return {
    name,
    missing: undefined,
    ...(goal === undefined ? {} : { goal }),
    check: (context) => run(context, async (running) => verify(await ask(running, 'show'))),
    async measure(context): Promise<Sample> {
      const { warmupSeconds, measureSeconds } = context.effort
      const report = (await run(context, (running) => ask(running, `run ${warmupSeconds} ${measureSeconds}`))) as WorkReport
      return {
        value: (report.operations / report.seconds) * units(context),
        cpuMicros: (report.cpuSeconds / report.operations / units(context)) * 1e6,
        ...(report.more === undefined ? {} : { more: report.more }),
      }
    },
  }
}
