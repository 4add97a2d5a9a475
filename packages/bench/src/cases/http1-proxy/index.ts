import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '@heddle/runtime'
import type { BenchCase, Contender, Goal, RoundContext, Sample } from '../../bench-case.js'
import { findEnvoy, findHaproxy, findNginx, findWrk, missingProgram, type Program } from '../../peers/find.js'
import { type CpuAccounting, createCpuAccounting } from '../../proc.js'
import { freePort, listening, start, withProcesses } from '../../running.js'
import { runWrk } from '../../wrk.js'
import { checkProxy, startEcho } from './check.js'
import { envoy, type HttpProxy, haproxy, heddle, nginx, nginxConfig, nodeHttp } from './proxies.js'

const CONNECTIONS = 64
const BODY = 'x'.repeat(1024)

/** HTTP/1.1, keep-alive: route, request id, x-forwarded-for, access log; ours and Envoy by the same bootstrap. */
export function http1Proxy(): BenchCase {
  return {
    bench: 'http1-proxy',
    name: `keep-alive, ${CONNECTIONS} connections, 1 KiB; router and access log`,
    unit: 'requests/s',
    better: 'higher',
    ours: contender('heddle proxy', heddle, measureMissing()),
    peers: [
      peer('nginx', nginx, findNginx(), { must: 0.75, after: 1 }),
      peer('haproxy', haproxy, findHaproxy()),
      peer('envoy', envoy, findEnvoy()),
      contender(`node:http ${process.version}`, nodeHttp, measureMissing()),
    ],
  }
}

function peer(name: string, proxy: HttpProxy, program: Program | undefined, goal?: Goal): Contender {
  if (program === undefined) return contender(name, proxy, missingProgram(name), goal)
  return contender(`${name} ${program.version}`, proxy, measureMissing(), goal)
}

/** What every number here needs. */
function measureMissing(): string | undefined {
  if (findWrk() === undefined) return missingProgram('wrk')
  return findNginx() === undefined ? `${missingProgram('nginx')} (it is the upstream)` : undefined
}

function contender(name: string, proxy: HttpProxy, missing: string | undefined, goal?: Goal): Contender {
  return {
    name,
    missing,
    ...(goal === undefined ? {} : { goal }),
    check: (context) => check(proxy, context),
    measure: (context) => measure(proxy, context),
  }
}

export async function check(proxy: HttpProxy, context: RoundContext): Promise<void> {
  const echo = await startEcho()
  try {
    await withProcesses(async (keep) => {
      const port = await freePort()
      await listening(port, keep(start(context.placement, 'subject', await proxy.command(context, port, echo.port))))
      await checkProxy(port)
    })
  } finally {
    echo.close()
  }
}

function measure(proxy: HttpProxy, context: RoundContext): Promise<Sample> {
  const { placement, effort } = context
  return withProcesses(async (keep) => {
    const [port, upstream] = [await freePort(), await freePort()]
    await listening(upstream, keep(start(placement, 'load', await upstreamCommand(context.folder, upstream))))
    const subject = keep(start(placement, 'subject', await proxy.command(context, port, upstream)))
    await listening(port, subject)
    const url = `http://127.0.0.1:${port}/`
    const load = { placement, url, connections: CONNECTIONS }
    await runWrk({ ...load, seconds: effort.warmupSeconds })

    const accounting = createCpuAccounting()
    const before = readTimes(accounting, subject.pid)
    const report = await runWrk({ ...load, seconds: effort.measureSeconds })
    const after = readTimes(accounting, subject.pid)

    const cpu = before === undefined || after === undefined ? undefined : after.subject - before.subject
    const problem = problemOf(report, cpu, before === undefined || after === undefined ? undefined : after.at - before.at)
    return {
      value: report.requests / report.seconds,
      cpuMicros: cpu === undefined ? undefined : (cpu / report.requests) * 1e6,
      more: { 'p50 ms': report.p50ms, 'p99 ms': report.p99ms },
      ...(problem === undefined ? {} : { unusable: problem }),
    }
  })
}

function readTimes(accounting: CpuAccounting | undefined, pid: number): { subject: number; at: number } | undefined {
  return accounting === undefined ? undefined : { subject: accounting.of(pid), at: systemClock.monotonic() / 1000 }
}

/** Below this share of a core the proxy was waiting: for wrk or for the upstream. */
const SATURATED = 0.9

function problemOf(
  report: { requests: number; badStatus: number; socketErrors: number; bytes: number },
  cpu: number | undefined,
  seconds: number | undefined,
): string | undefined {
  const { requests, badStatus, socketErrors, bytes } = report
  if (badStatus + socketErrors > 0) return `of ${requests} requests ${badStatus} got a bad status, ${socketErrors} an error`
  if (bytes < requests * BODY.length) return 'answers were shorter than the body'
  if (cpu === undefined || seconds === undefined || cpu / seconds >= SATURATED) return undefined
  return `the load generator or the upstream was the limit: the proxy used ${((cpu / seconds) * 100).toFixed(0)} % of its core`
}

/** nginx as the upstream: it answers from memory. */
async function upstreamCommand(folder: string, port: number): Promise<readonly string[]> {
  const file = join(folder, 'upstream.conf')
  const server = `access_log off; default_type text/plain; server { listen 127.0.0.1:${port}; location / { return 200 "${BODY}"; } }`
  await writeFile(file, nginxConfig(join(folder, 'upstream'), server))
  await mkdir(join(folder, 'upstream'))
  return [findNginx()!.path, '-p', join(folder, 'upstream'), '-e', 'stderr', '-c', file]
}
