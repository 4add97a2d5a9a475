import type { BenchCase, Contender, RoundContext, Sample } from '../../bench-case.js'
import { median } from '../../statistics.js'
import { goControlPlane, type Parts, type Pushed, type Wanted, withStreams } from './parts.js'

const ENDPOINT_URL = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment'
const NAME = 'outbound|8080||service-7.namespace-7.svc.cluster.local'

/** 100 endpoints of a service; `revision` shows in the port of the last. */
function assignment(revision: number): object {
  const endpointOf = (i: number): object => ({
    endpoint: {
      address: { socket_address: { address: `10.0.${i >> 8}.${i & 255}`, port_value: i === 99 ? 1_000 + revision : 8080 } },
    },
    load_balancing_weight: 1,
    metadata: { filter_metadata: { istio: { workload: `service-7;namespace-7;service-7;v${i % 3};cluster-1` } } },
  })
  return { cluster_name: NAME, endpoints: [{ lb_endpoints: Array.from({ length: 100 }, (_, i) => endpointOf(i)) }] }
}

/** What a contender serves. */
export function wantedOf(maker: Wanted['maker'], streams: number, more: Partial<Wanted> = {}): Wanted {
  return { maker, streams, typeUrl: ENDPOINT_URL, name: NAME, first: assignment(0), ...more }
}

export function contenderOf(
  maker: Wanted['maker'],
  streams: number,
  measure: (parts: Parts, context: RoundContext) => Promise<Sample>,
  more: Partial<Wanted> = {},
): Contender {
  const wanted = (scale: number): Wanted => wantedOf(maker, scaled(streams, scale), more)
  const peer = goControlPlane()
  const missing =
    peer.version === undefined ? 'go-control-plane is missing: run packages/bench/scripts/install-peers.sh' : undefined
  return {
    name: maker === 'ours' ? 'xds-server over grpc-js' : `go-control-plane ${peer.version}`,
    missing: maker === 'ours' ? undefined : missing,
    check: (context) => withStreams(wanted(0.01), context, check),
    measure: (context) => withStreams(wanted(context.effort.scale), context, (parts) => measure(parts, context)),
  }
}

/** Streams of a round. */
export function scaled(streams: number, scale: number): number {
  return Math.max(4, Math.ceil(streams * scale))
}

/** What came is what was set. */
async function check(parts: Parts): Promise<void> {
  for (const revision of [1, 2]) await parts.push(assignment(revision))
  parts.clients.send('last')
  const { body } = JSON.parse(await parts.clients.line()) as { body: string }
  const bytes = Buffer.from(body, 'base64')
  // The port of the last endpoint as a varint: 1002 is ea 07.
  if (!bytes.includes(Buffer.from([0xea, 0x07]))) throw new Error('the streams do not hold the last change')
}

const PUSHES_PER_SECOND = 4

/** Until then it is the JIT compiler that is measured: what one push needs runs once for each stream, and is compiled in steps. */
const WARM_PUSHES = 16

export interface Pushes {
  readonly p99Ms: number
  readonly medianMs: number
  /** For each stream. */
  readonly cpuMicros: number | undefined
}

/** As many as make a measurement of so many seconds. */
export function pushesIn(seconds: number): number {
  return Math.max(3, Math.round(seconds * PUSHES_PER_SECOND))
}

/** Pushes so many times, one when the one before has arrived everywhere. */
export async function pushes(parts: Parts, times: number, from: number): Promise<Pushes> {
  const before = parts.cpu()
  const all: Pushed[] = []
  for (let i = 0; i < times; i++) all.push(await parts.push(assignment(from + i)))
  const after = parts.cpu()
  const cpuMicros = before === undefined || after === undefined ? undefined : ((after - before) / (times * parts.streams)) * 1e6
  return { medianMs: median(all.map(({ medianMs }) => medianMs)), p99Ms: median(all.map(({ p99Ms }) => p99Ms)), cpuMicros }
}

/** Before anything counts. */
export async function warmUp(parts: Parts, { effort }: RoundContext): Promise<void> {
  await pushes(parts, effort.scale < 1 ? 1 : Math.max(WARM_PUSHES, pushesIn(effort.warmupSeconds)), 10)
}

async function measure(parts: Parts, context: RoundContext): Promise<Sample & { cpuMicros: number | undefined }> {
  await warmUp(parts, context)
  const { p99Ms, medianMs, cpuMicros } = await pushes(parts, pushesIn(context.effort.measureSeconds), 100)
  const { before, idle } = parts.memory
  const perCore = cpuMicros === undefined ? {} : { 'pushes/s a core': 1e6 / cpuMicros }
  return { value: p99Ms, cpuMicros, more: { 'median ms': medianMs, 'KB a stream': (idle - before) / parts.streams, ...perCore } }
}

/** The same, judged by what a core does. */
async function measureCore(parts: Parts, context: RoundContext): Promise<Sample> {
  const { value, cpuMicros, more = {} } = await measure(parts, context)
  const { 'pushes/s a core': perCore = Number.NaN, ...rest } = more
  const unusable = Number.isNaN(perCore) ? { unusable: 'the system does not tell CPU times' } : {}
  return { value: perCore, cpuMicros, more: { 'p99 ms': value, ...rest }, ...unusable }
}

export const caseOf = (name: string, ours: Contender, peers: readonly Contender[]): BenchCase => ({
  ...{ bench: 'xds-server', name, unit: 'ms', better: 'lower', ours, peers },
})

/** One changed assignment of 100 endpoints to every stream: how late the slowest hundredth has it, and what an idle stream weighs. */
export function endpointCases(): BenchCase[] {
  const both = (streams: number, more: Partial<Wanted> = {}): [Contender, Contender[]] => [
    contenderOf('ours', streams, measure, more),
    [contenderOf('go-control-plane', streams, measure, more)],
  ]
  const goal = { must: 0.6, after: 1 }
  const perCore: BenchCase = {
    bench: 'xds-server',
    name: 'pushes a second of CPU: 100 endpoints to 2000 Delta streams, all acknowledged',
    unit: '/s',
    better: 'higher',
    ours: contenderOf('ours', 2_000, measureCore),
    peers: [{ ...contenderOf('go-control-plane', 2_000, measureCore), goal }],
  }
  return [
    caseOf('p99 of one change of 100 endpoints to 500 Delta streams', ...both(500)),
    caseOf('p99 of one change of 100 endpoints to 2000 Delta streams', ...both(2_000)),
    caseOf('p99 of one change of 100 endpoints to 2000 Delta streams by mutual TLS', ...both(2_000, { mutualTls: true })),
    perCore,
    reconnect(),
  ]
}

/** All clients go at once and come back, with back-off where the server lets no more in. */
function reconnect(): BenchCase {
  const back = async (parts: Parts): Promise<Sample> => {
    const before = parts.cpu()
    parts.clients.send('reconnect')
    const { ms } = JSON.parse(await parts.clients.line()) as { ms: number }
    const after = parts.cpu()
    const cpuMicros = before === undefined || after === undefined ? undefined : ((after - before) / parts.streams) * 1e6
    return { value: ms / 1_000, cpuMicros }
  }
  return {
    ...caseOf('all of 2000 streams go and are back with their resources', contenderOf('ours', 2_000, back), [
      contenderOf('go-control-plane', 2_000, back),
    ]),
    unit: 's',
  }
}
