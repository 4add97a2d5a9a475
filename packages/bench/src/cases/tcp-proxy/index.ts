import type { BenchCase, Contender, Goal, RoundContext, Sample } from '../../bench-case.js'
import { findEnvoy, findHaproxy, missingProgram, type Program } from '../../peers/find.js'
import { writeCertificate } from '../http-proxy/certificate.js'
import type { HttpProxy as ReverseProxy } from '../http-proxy/proxies.js'
import { checkTcp } from './check.js'
import { measureIdle, measureTcp } from './measure.js'
import { envoy, haproxy, heddle } from './proxies.js'

const CONNECTIONS = 16

interface Work {
  readonly secure: boolean
  measure(proxy: ReverseProxy, context: RoundContext): Promise<Sample>
}

/** Through one TCP proxy: bytes, connections, and what connections that do nothing cost. */
export function tcpProxyCases(): readonly BenchCase[] {
  const bytes: Work = { secure: false, measure: (proxy, context) => measureTcp(proxy, 'pull', CONNECTIONS, context) }
  const connections: Work = { secure: false, measure: (proxy, context) => measureTcp(proxy, 'reconnect', CONNECTIONS, context) }
  return [
    {
      bench: 'tcp-proxy',
      name: `bytes from the upstream over ${CONNECTIONS} connections, CPU for each GB`,
      unit: 'ms/GB',
      better: 'lower',
      ours: contender('heddle proxy', heddle(), bytes),
      peers: [
        peer('haproxy', haproxy(), findHaproxy(), bytes, { must: 1, after: 1 / 0.55 }),
        peer('envoy', envoy(), findEnvoy(), bytes),
      ],
    },
    {
      bench: 'tcp-proxy',
      name: `connections, each for one byte there and back, ${CONNECTIONS} at a time`,
      unit: 'connections/s',
      better: 'higher',
      ours: contender('heddle proxy', heddle(), connections),
      peers: [peer('haproxy', haproxy(), findHaproxy(), connections), peer('envoy', envoy(), findEnvoy(), connections)],
    },
    idleCase(false, 12, 6),
    idleCase(true, 50, 35),
  ]
}

/** The goals are sizes here, no ratios: they stand as a peer that is as large as it must be. */
function idleCase(secure: boolean, mustKb: number, afterKb: number): BenchCase {
  const work: Work = { secure, measure: (proxy, context) => measureIdle(proxy, secure, context) }
  const tls = secure ? writeCertificate : undefined
  const goal: Contender = {
    name: `${mustKb} KB, the goal`,
    missing: undefined,
    goal: { must: 1, after: mustKb / afterKb },
    check: async () => {},
    measure: async () => ({ value: mustKb, cpuMicros: undefined }),
  }
  return {
    bench: 'idle-connections',
    name: `memory of a silent ${secure ? 'TLS' : 'TCP'} connection through a TCP proxy, its upstream connection included`,
    unit: 'KB',
    better: 'lower',
    ours: contender('heddle proxy', heddle(tls), work),
    peers: [goal, peer('haproxy', haproxy(tls), findHaproxy(), work), peer('envoy', envoy(tls), findEnvoy(), work)],
  }
}

function contender(name: string, proxy: ReverseProxy, { secure, measure }: Work, goal?: Goal): Contender {
  return {
    name,
    missing: undefined,
    ...(goal === undefined ? {} : { goal }),
    check: (context) => checkTcp(proxy, secure, context),
    measure: (context) => measure(proxy, context),
  }
}

function peer(name: string, proxy: ReverseProxy, program: Program | undefined, work: Work, goal?: Goal): Contender {
  const one = contender(`${name} ${program?.version ?? ''}`.trim(), proxy, work, goal)
  return program === undefined ? { ...one, missing: missingProgram(name) } : one
}
