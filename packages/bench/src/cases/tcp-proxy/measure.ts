import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RoundContext, Sample } from '../../bench-case.js'
import { createCpuAccounting } from '../../proc.js'
import { freePort, listening, start, withProcesses } from '../../running.js'
import type { HttpProxy as ReverseProxy } from '../http-proxy/proxies.js'
import { startTcpLoad, type TcpLoad, type TcpLoadReport, type TcpLoadRequest } from './load.js'

/** With a proxy between clients and upstream. */
function withProxy<T>(
  proxy: ReverseProxy,
  context: RoundContext,
  use: (load: TcpLoad, port: number, pid: number) => Promise<T>,
): Promise<T> {
  return withProcesses(async (keep) => {
    const [port, upstream] = [await freePort(), await freePort()]
    const load = await startTcpLoad(context, upstream, keep)
    const subject = keep(start(context.placement, 'subject', await proxy.command(context, port, upstream)))
    await listening(port, subject)
    return await use(load, port, subject.pid)
  })
}

/** CPU milliseconds for each GB that passes, by `kind: 'pull'`; or connections a second, by `reconnect`. */
export function measureTcp(
  proxy: ReverseProxy,
  kind: 'pull' | 'reconnect',
  connections: number,
  context: RoundContext,
): Promise<Sample> {
  return withProxy(proxy, context, async (load, port, pid) => {
    const request = { kind, port, connections }
    await load.run({ ...request, seconds: context.effort.warmupSeconds })
    const accounting = createCpuAccounting()
    const before = accounting?.of(pid) ?? 0
    const report = await load.run({ ...request, seconds: context.effort.measureSeconds })
    const cpu = (accounting?.of(pid) ?? 0) - before
    const problem = accounting === undefined ? 'the system does not tell CPU times' : problemOf(report)
    const sample = kind === 'pull' ? bytesOf(report, cpu) : connectionsOf(report, cpu)
    return problem === undefined ? sample : { ...sample, unusable: problem }
  })
}

function bytesOf({ count, seconds }: TcpLoadReport, cpu: number): Sample {
  const gigabytes = count / 1e9
  return { value: (cpu * 1000) / gigabytes, cpuMicros: (cpu * 1e6) / gigabytes, more: { 'Gbit/s': (gigabytes * 8) / seconds } }
}

function connectionsOf({ count, seconds }: TcpLoadReport, cpu: number): Sample {
  return { value: count / seconds, cpuMicros: (cpu * 1e6) / count }
}

function problemOf({ count, errors }: TcpLoadReport): string | undefined {
  if (errors > 0) return `${errors} connections failed`
  return count === 0 ? 'nothing came through' : undefined
}

const SETTLE_MS = 2000
/** So many that what the heap grows by at once does not count; a handshake takes its time. */
const CONNECTIONS = { plain: 8000, secure: 2000 }
/** However little effort is asked for: fewer may fit into what the process holds already, and would cost nothing. */
const LEAST_CONNECTIONS = 1000

/** KB that a proxy grows by for each connection that is open and silent, its own to the upstream included. */
export function measureIdle(proxy: ReverseProxy, secure: boolean, context: RoundContext): Promise<Sample> {
  return withProxy(proxy, context, async (load, port, pid) => {
    const connections = Math.max(LEAST_CONNECTIONS, Math.round(CONNECTIONS[secure ? 'secure' : 'plain'] * context.effort.scale))
    const request = (kind: TcpLoadRequest['kind'], count: number): TcpLoadRequest => ({
      kind,
      port,
      connections: count,
      seconds: 0,
      secure,
    })
    // What the first ones bring once: code, buffers, certificates.
    await load.run(request('hold', 100))
    await load.run(request('release', 0))
    await sleep(SETTLE_MS * context.effort.scale)
    const before = residentKb(pid)
    const report = await load.run(request('hold', connections))
    await sleep(SETTLE_MS * context.effort.scale)
    const value = (residentKb(pid) - before) / connections
    const problem = problemOf(report)
    return { value, cpuMicros: undefined, ...(problem === undefined ? {} : { unusable: problem }) }
  })
}

function residentKb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN)
}
