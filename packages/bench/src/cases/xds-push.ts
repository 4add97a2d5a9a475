import type { BenchCase, Contender, RoundContext, Sample } from '../bench-case.js'
import { meshCluster } from '../clusters.js'
import { workerCommand } from '../commands.js'
import { packageVersion } from '../peers/find.js'
import { type Running, start, withProcesses } from '../running.js'
import type { ClientReport } from '../workers/xds-push-client.js'
import type { PushReport } from '../workers/xds-push-server.js'

const STREAMS = 500
const CLUSTERS = 1000

/** One changed cluster to every stream, until the last acknowledgement is back. */
export function xdsPush(): BenchCase {
  return {
    bench: 'xds-push',
    name: `one changed cluster of ${CLUSTERS} to ${STREAMS} Delta streams, all acknowledged`,
    unit: 'ms',
    better: 'lower',
    ours: contender('xds-server over grpc-js', 'ours'),
    peers: [contender(`naive server on grpc-js ${packageVersion('@grpc/grpc-js')}`, 'naive')],
  }
}

function contender(name: string, maker: string): Contender {
  return {
    name,
    missing: undefined,
    check: (context) => withStreams(maker, context, 0.02, check),
    measure: (context) => withStreams(maker, context, context.effort.scale, (parts) => measure(parts, context)),
  }
}

interface Parts {
  readonly server: Running
  readonly client: Running
  readonly streams: number
  readonly clusters: number
}

/** A server with clusters, and streams that have them all. */
function withStreams<T>(maker: string, context: RoundContext, scale: number, use: (parts: Parts) => Promise<T>): Promise<T> {
  const { placement, built } = context
  const [streams, clusters] = [Math.ceil(STREAMS * scale), Math.ceil(CLUSTERS * scale)]
  return withProcesses(async (keep) => {
    const server = keep(start(placement, 'subject', [...workerCommand('xds-push-server', built), maker, String(clusters)]))
    const { port } = JSON.parse(await server.line()) as { port: number }
    const words = [...workerCommand('xds-push-client', built), String(port), String(streams), String(clusters)]
    const client = keep(start(placement, 'load', words))
    await client.line()
    return use({ server, client, streams, clusters })
  })
}

async function push({ server }: Parts, times: number): Promise<PushReport> {
  server.send(`push ${times}`)
  return JSON.parse(await server.line()) as PushReport
}

/** Every stream got each change once, alone, and holds the newest. */
async function check(parts: Parts): Promise<void> {
  const { streams, clusters, client } = parts
  const times = 3
  await push(parts, times)
  client.send('report')
  const { responses, resources, last } = JSON.parse(await client.line()) as ClientReport
  const changed = meshCluster((times * 7) % clusters, times)
  const wanted = `${changed.name} ${changed.connect_timeout}`
  if (last.join() !== wanted) throw new Error(`the streams hold ${last.join()}, not ${wanted}`)
  if (resources !== streams * (clusters + times))
    throw new Error(`${resources} resources came, not ${streams * (clusters + times)}`)
  if (responses !== streams * (1 + times)) throw new Error(`${responses} responses came, not ${streams * (1 + times)}`)
}

/** Pushes for a second of measured time; a push of 500 takes some tens of milliseconds. */
const PUSHES_PER_SECOND = 20

async function measure(parts: Parts, { effort }: RoundContext): Promise<Sample> {
  const timesOf = (seconds: number): number => Math.max(1, Math.round(seconds * PUSHES_PER_SECOND))
  await push(parts, timesOf(effort.warmupSeconds))
  const times = timesOf(effort.measureSeconds)
  const { medianMs, p99Ms, seconds, cpuSeconds } = await push(parts, times)
  return {
    value: medianMs,
    cpuMicros: (cpuSeconds / (times * parts.streams)) * 1e6,
    // The clients' core works too: with a server that is far from busy, the time is theirs.
    more: { 'p99 ms': p99Ms, 'server busy %': (cpuSeconds / seconds) * 100 },
  }
}
