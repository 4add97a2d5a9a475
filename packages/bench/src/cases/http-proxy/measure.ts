import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '@heddle/runtime'
import type { RoundContext, Sample } from '../../bench-case.js'
import { findNginx } from '../../peers/find.js'
import { type CpuAccounting, createCpuAccounting } from '../../proc.js'
import { freePort, listening, start, withProcesses } from '../../running.js'
import type { Work } from './bootstrap.js'
import { type HttpProxy, nginxConfig } from './proxies.js'

const BODY = 'x'.repeat(1024)

/** What a load generator says of some seconds. */
export interface LoadReport {
  readonly requests: number
  readonly seconds: number
  readonly bytes: number
  readonly badStatus: number
  readonly socketErrors: number
  /** More figures by name, shown and never judged: `p99 ms`. */
  readonly more: Readonly<Record<string, number>>
}

/** Puts load on a URL for some seconds. */
export type Load = (options: {
  readonly placement: RoundContext['placement']
  readonly url: string
  readonly seconds: number
}) => Promise<LoadReport>

/** Requests a second that a proxy passes on to nginx, which answers 1 KiB from memory. */
export function measureProxy(proxy: HttpProxy, protocol: Work['protocol'], load: Load, context: RoundContext): Promise<Sample> {
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

    const cpu = before === undefined || after === undefined ? undefined : after.subject - before.subject
    const problem = problemOf(report, cpu, before === undefined || after === undefined ? undefined : after.at - before.at)
    return {
      value: report.requests / report.seconds,
      cpuMicros: cpu === undefined ? undefined : (cpu / report.requests) * 1e6,
      more: report.more,
      ...(problem === undefined ? {} : { unusable: problem }),
    }
  })
}

function readTimes(accounting: CpuAccounting | undefined, pid: number): { subject: number; at: number } | undefined {
  return accounting === undefined ? undefined : { subject: accounting.of(pid), at: systemClock.monotonic() / 1000 }
}

/** Below this share of a core the proxy was waiting: for the load generator or for the upstream. */
const SATURATED = 0.9

function problemOf(report: LoadReport, cpu: number | undefined, seconds: number | undefined): string | undefined {
  const { requests, badStatus, socketErrors, bytes } = report
  if (requests === 0) return 'no request was answered'
  if (badStatus + socketErrors > 0) return `of ${requests} requests ${badStatus} got a bad status, ${socketErrors} an error`
  if (bytes < requests * BODY.length) return 'answers were shorter than the body'
  if (cpu === undefined || seconds === undefined || cpu / seconds >= SATURATED) return undefined
  return `the load generator or the upstream was the limit: the proxy used ${((cpu / seconds) * 100).toFixed(0)} % of its core`
}

/** nginx as the upstream: it answers from memory. */
async function upstreamCommand(folder: string, port: number, protocol: Work['protocol']): Promise<readonly string[]> {
  const file = join(folder, 'upstream.conf')
  const listen = `listen 127.0.0.1:${port}${protocol === 'HTTP2' ? ' http2' : ''}`
  const server = `access_log off; default_type text/plain; http2_max_concurrent_streams 1000;
  server { ${listen}; location / { return 200 "${BODY}"; } }`
  await writeFile(file, nginxConfig(join(folder, 'upstream'), server))
  await mkdir(join(folder, 'upstream'))
  return [findNginx()!.path, '-p', join(folder, 'upstream'), '-e', 'stderr', '-c', file]
}
