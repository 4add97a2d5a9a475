import { systemClock } from '@heddle/runtime'
import type { RoundContext, Sample } from '../../bench-case.js'
import { type CpuAccounting, createCpuAccounting } from '../../proc.js'
import { freePort, listening, start, withProcesses } from '../../running.js'
import type { Work } from './bootstrap.js'
import type { HttpProxy } from './proxies.js'
import { BODY, upstreamCommand } from './upstream.js'

/** What a load generator says of some seconds. */
export interface LoadReport {
  readonly requests: number
  readonly seconds: number
  readonly bytes: number
  readonly badStatus: number
  readonly socketErrors: number
  /** More figures by name, shown: `p99 ms`. */
  readonly more: Readonly<Record<string, number>>
  /** Why it was no such load as was asked for. */
  readonly problem?: string
}

/** Puts load on a URL for some seconds. */
export type Load = (options: {
  readonly placement: RoundContext['placement']
  readonly url: string
  readonly seconds: number
}) => Promise<LoadReport>

/**
 * What a proxy is judged by. `rate`: requests a second, and it must have been the limit. `cpu`: requests in a second of its CPU time, for
 * loads of a few connections: a fixed number of requests is always in flight, they travel in lumps, and who has passed a lump on waits for
 * the next. `p99`: how long one request in a hundred takes at least, while the proxy is the limit; `p99 at a rate`: while it is not.
 */
export type Judged = 'rate' | 'cpu' | 'p99' | 'p99 at a rate'

export interface Measured {
  readonly protocol: Work['protocol']
  readonly judged: Judged
  readonly load: Load
}

/** A proxy that passes requests on to an upstream, which answers 1 KiB from memory. */
export function measureProxy(proxy: HttpProxy, { protocol, judged, load }: Measured, context: RoundContext): Promise<Sample> {
  const { placement, effort } = context
  return withProcesses(async (keep) => {
    const [port, upstream] = [await freePort(), await freePort()]
    await listening(upstream, keep(start(placement, 'load', await upstreamCommand(context.folder, upstream, protocol))))
    const subject = keep(start(placement, 'subject', await proxy.command(context, port, upstream)))
    await listening(port, subject)
    const url = `http://127.0.0.1:${port}/`
    await load({ placement, url, seconds: effort.warmupSeconds })

    const accounting = createCpuAccounting()
    const before = readTimes(accounting, subject.pid)
    const report = await load({ placement, url, seconds: effort.measureSeconds })
    const after = readTimes(accounting, subject.pid)
    const used = before && after && { cpu: after.subject - before.subject, seconds: after.at - before.at }
    return sampleOf(report, used, judged)
  })
}

/** Seconds of the proxy's CPU time, and those that passed meanwhile. */
interface Used {
  readonly cpu: number
  readonly seconds: number
}

/** `used`: undefined where the system does not tell. */
export function sampleOf(report: LoadReport, used: Used | undefined, judged: Judged): Sample {
  const rate = report.requests / report.seconds
  const problem = problemOf(report, used, judged)
  const perCpu = used === undefined ? {} : { 'under this load/s': rate, 'busy %': (used.cpu / used.seconds) * 100 }
  return {
    value: judgedValue(report, used, judged),
    cpuMicros: used === undefined ? undefined : (used.cpu / report.requests) * 1e6,
    more: judged === 'rate' || judged === 'p99' ? report.more : { ...report.more, ...perCpu },
    ...(problem === undefined ? {} : { unusable: problem }),
  }
}

function judgedValue({ requests, seconds, more }: LoadReport, used: Used | undefined, judged: Judged): number {
  if (judged === 'rate') return requests / seconds
  return (judged === 'cpu' ? used && requests / used.cpu : more['p99 ms']) ?? Number.NaN
}

function readTimes(accounting: CpuAccounting | undefined, pid: number): { subject: number; at: number } | undefined {
  return accounting === undefined ? undefined : { subject: accounting.of(pid), at: systemClock.monotonic() / 1000 }
}

/** Below this share of a core the proxy was waiting: for the load generator or for the upstream. */
const SATURATED = 0.9
/** Below this one the lumps are a proxy's exception, and waking up for them would be most of what is measured. */
const AT_WORK = 1 / 3
const LEAST_SHARE: Readonly<Record<Judged, number>> = { rate: SATURATED, cpu: AT_WORK, p99: SATURATED, 'p99 at a rate': 0 }

function problemOf(report: LoadReport, used: Used | undefined, judged: Judged): string | undefined {
  const { requests, badStatus, socketErrors, bytes, problem } = report
  if (problem !== undefined) return problem
  if (requests === 0) return 'no request was answered'
  if (badStatus + socketErrors > 0) return `of ${requests} requests ${badStatus} got a bad status, ${socketErrors} an error`
  if (bytes < requests * BODY.length) return 'answers were shorter than the body'
  if (used === undefined) return judged === 'cpu' ? 'the system does not tell CPU times' : undefined
  const share = used.cpu / used.seconds
  if (share >= LEAST_SHARE[judged]) return undefined
  return `the load generator or the upstream was the limit: the proxy used ${(share * 100).toFixed(0)} % of its core`
}
