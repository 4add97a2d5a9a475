import type { BenchCase, Contender, Goal, RoundContext, Sample } from '../../bench-case.js'
import { workerCommand } from '../../commands.js'
import { findEnvoy, findHaproxy, missingProgram, type Program } from '../../peers/find.js'
import { createCpuAccounting } from '../../proc.js'
import { freePort, listening, type Running, start, withProcesses } from '../../running.js'
import type { MutualTlsReport } from '../../workers/mutual-tls-load.js'
import { writeCertificates } from './certificates.js'
import { envoy, haproxy, heddle, type MutualTlsServer } from './servers.js'

const CONCURRENCY = 16

/** What the load does: a connection for each request, or requests on connections that are kept. */
type Mode = 'handshakes' | 'requests'

/**
 * A server that ends mTLS. A client in Node cannot fill the server's core, so that what counts is how much the server would do in a second
 * of its CPU time.
 */
export function mutualTlsCases(): readonly BenchCase[] {
  return [
    mutualTlsCase(
      'handshakes',
      'handshakes with a P-256 client certificate, none resumed, one request on each',
      'handshakes/CPU s',
    ),
    mutualTlsCase('requests', `requests on ${CONCURRENCY} mTLS connections that are kept, 1 KiB`, 'requests/CPU s'),
  ]
}

function mutualTlsCase(mode: Mode, name: string, unit: string): BenchCase {
  return {
    bench: 'ca-mtls',
    name,
    unit,
    better: 'higher',
    ours: contender('heddle proxy', heddle, mode),
    peers: [peer('haproxy', haproxy, findHaproxy(), mode), peer('envoy', envoy, findEnvoy(), mode)],
  }
}

function peer(name: string, server: MutualTlsServer, program: Program | undefined, mode: Mode, goal?: Goal): Contender {
  const one = contender(`${name} ${program?.version ?? ''}`.trim(), server, mode, goal)
  return program === undefined ? { ...one, missing: missingProgram(name) } : one
}

function contender(name: string, server: MutualTlsServer, mode: Mode, goal?: Goal): Contender {
  return {
    name,
    missing: undefined,
    ...(goal === undefined ? {} : { goal }),
    check: (context) =>
      underLoad(server, mode, context, async (load) => {
        const { operations, failure } = await load(0.2)
        if (failure !== undefined) throw new Error(failure)
        if (operations === 0) throw new Error('nothing was answered')
      }),
    measure: (context) => underLoad(server, mode, context, (load, pid) => measure(context, load, pid)),
  }
}

type Load = (seconds: number) => Promise<MutualTlsReport>

function underLoad<T>(
  server: MutualTlsServer,
  mode: Mode,
  context: RoundContext,
  use: (load: Load, pid: number) => Promise<T>,
): Promise<T> {
  const { placement, folder, built } = context
  return withProcesses(async (keep) => {
    await writeCertificates(folder)
    const port = await freePort()
    const subject = keep(start(placement, 'subject', await server(context, port)))
    await listening(port, subject)
    const words = [...workerCommand('mutual-tls-load', built), String(port), folder, mode, String(CONCURRENCY)]
    const client: Running = keep(start(placement, 'load', words))
    await client.line()
    const load: Load = async (seconds) => {
      client.send(`run ${seconds}`)
      return JSON.parse(await client.line()) as MutualTlsReport
    }
    return use(load, subject.pid)
  })
}

const LEAST_SECONDS = 0.5

async function measure({ effort }: RoundContext, load: Load, pid: number): Promise<Sample> {
  const accounting = createCpuAccounting()
  await load(Math.max(effort.warmupSeconds, LEAST_SECONDS))
  const before = accounting?.of(pid)
  const { operations, seconds, failure } = await load(Math.max(effort.measureSeconds, LEAST_SECONDS))
  const after = accounting?.of(pid)
  if (before === undefined || after === undefined)
    return { value: operations / seconds, cpuMicros: undefined, unusable: 'the system does not tell CPU times' }
  return {
    value: operations / (after - before),
    cpuMicros: ((after - before) / operations) * 1e6,
    more: { 'under this load/s': operations / seconds },
    ...(failure === undefined ? {} : { unusable: failure }),
  }
}
