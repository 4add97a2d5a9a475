import type { BenchCase, Contender, Goal, RoundContext, Sample } from '../../bench-case.js'
import { findEnvoy, findHaproxy, findNginx, findWrk, missingProgram, type Program } from '../../peers/find.js'
import { createCpuAccounting } from '../../proc.js'
import { freePort, listening, start, withProcesses } from '../../running.js'
import { runWrk } from '../../wrk.js'
import { writeCertificates } from './certificates.js'
import { clientCommand, type Mode } from './load.js'
import { BODY, envoy, haproxy, heddle, type MutualTlsServer, nginx } from './servers.js'

const CONNECTIONS = 32
/** Behind a process before anything counts: V8 has compiled by then what a proxy that runs for weeks does all the time. */
const WARM_REQUESTS = 6_000

/**
 * A server that ends mTLS. Its client does as much TLS as the server and shares a core with the generator, so that what counts is how much
 * the server would do in a second of its CPU time.
 */
export function mutualTlsCases(): readonly BenchCase[] {
  return [
    mutualTlsCase(
      'handshakes',
      'handshakes with P-256 certificates both ways, none resumed, a request of 1 KiB on each',
      'handshakes/CPU s',
      { must: 1 / 1.3, after: 1 },
    ),
    mutualTlsCase('requests', 'requests of 1 KiB on mTLS connections that are kept', 'requests/CPU s', { must: 0.7, after: 0.9 }),
  ]
}

/** `goal`: against nginx. */
function mutualTlsCase(mode: Mode, name: string, unit: string, goal: Goal): BenchCase {
  return {
    bench: 'ca-mtls',
    name,
    unit,
    better: 'higher',
    ours: contender('heddle proxy', heddle, mode),
    peers: [
      { ...peer('nginx', nginx, findNginx(), mode), goal },
      peer('haproxy', haproxy, findHaproxy(), mode),
      peer('envoy', envoy, findEnvoy(), mode),
    ],
  }
}

function peer(name: string, server: MutualTlsServer, program: Program | undefined, mode: Mode): Contender {
  const one = contender(`${name} ${program?.version ?? ''}`.trim(), server, mode)
  return program === undefined ? { ...one, missing: missingProgram(name) } : one
}

function contender(name: string, server: MutualTlsServer, mode: Mode): Contender {
  return {
    name,
    missing:
      findWrk() === undefined
        ? missingProgram('wrk')
        : findHaproxy() === undefined
          ? `${missingProgram('haproxy')} (it is the client)`
          : undefined,
    check: (context) => underLoad(server, mode, context, check),
    measure: (context) => underLoad(server, mode, context, (url, pid) => measure(context, url, pid)),
  }
}

/** `use` gets the URL of the client, and the server's process. */
function underLoad<T>(
  server: MutualTlsServer,
  mode: Mode,
  context: RoundContext,
  use: (url: string, pid: number) => Promise<T>,
): Promise<T> {
  const { placement, folder } = context
  return withProcesses(async (keep) => {
    await writeCertificates(folder)
    const [port, client] = [await freePort(), await freePort()]
    const subject = keep(start(placement, 'subject', await server(context, port)))
    await listening(port, subject)
    await listening(client, keep(start(placement, 'load', await clientCommand(folder, mode, client, port))))
    return use(`http://127.0.0.1:${client}/`, subject.pid)
  })
}

async function check(url: string): Promise<void> {
  for (let i = 0; i < 3; i++) {
    const response = await fetch(url)
    const text = await response.text()
    if (response.status !== 200 || text !== BODY) throw new Error(`${response.status} ${text.slice(0, 100)}`)
  }
}

async function measure({ placement, effort }: RoundContext, url: string, pid: number): Promise<Sample> {
  const accounting = createCpuAccounting()
  const load = (seconds: number): ReturnType<typeof runWrk> => runWrk({ placement, url, connections: CONNECTIONS, seconds })
  let warm = (await load(effort.warmupSeconds)).requests
  while (effort.scale === 1 && warm > 0 && warm < WARM_REQUESTS) warm += (await load(effort.warmupSeconds)).requests
  const before = accounting?.of(pid)
  const { requests, seconds, badStatus, socketErrors } = await load(effort.measureSeconds)
  const after = accounting?.of(pid)
  const cpu = before === undefined || after === undefined ? undefined : after - before
  const problem = cpu === undefined ? 'the system does not tell CPU times' : undefined
  const wrong = badStatus + socketErrors > 0 ? `of ${requests} requests ${badStatus + socketErrors} went wrong` : problem
  return {
    value: requests / (cpu ?? seconds),
    cpuMicros: cpu === undefined ? undefined : (cpu / requests) * 1e6,
    more: { 'under this load/s': requests / seconds },
    ...(wrong === undefined ? {} : { unusable: wrong }),
  }
}
