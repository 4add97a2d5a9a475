import type { BenchCase, Contender, Goal, RoundContext } from '../../bench-case.js'
import { runH2load } from '../../h2load.js'
import {
  findEnvoy,
  findH2load,
  findHaproxy,
  findNginx,
  findWrk,
  missingProgram,
  type Program,
  packageVersion,
} from '../../peers/find.js'
import { freePort, listening, start, withProcesses } from '../../running.js'
import { runWrk } from '../../wrk.js'
import type { Work } from './bootstrap.js'
import { checkHttp1, type Headers, startEcho } from './check-http1.js'
import { checkHttp2, startHttp2Echo } from './check-http2.js'
import { type Load, measureProxy } from './measure.js'
import { envoy, type HttpProxy, haproxy, heddle, inNode, nginx } from './proxies.js'
import { benchToken } from './token.js'

const CONNECTIONS = 64

/** One protocol: what puts it under load, what checks it, and what it takes to measure it. */
interface Harness {
  readonly protocol: Work['protocol']
  readonly load: Load
  /** Why nothing can be measured here. */
  readonly missing: string | undefined
  check(port: number): Promise<void>
  echo(): Promise<{ port: number; close(): void }>
}

/** `headers`: what every request brings. */
function http1(headers: Headers = {}): Harness {
  return {
    protocol: 'HTTP1',
    load: (options) => runWrk({ ...options, connections: CONNECTIONS, headers }),
    missing: missingOf('wrk', findWrk()) ?? upstreamMissing(),
    check: (port) => checkHttp1(port, headers),
    echo: startEcho,
  }
}

function http2(connections: number, streams: number, headers: Headers = {}): Harness {
  const flags = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  return {
    protocol: 'HTTP2',
    load: (options) => runH2load({ ...options, connections, streams, flags }),
    missing: missingOf('h2load', findH2load()) ?? upstreamMissing(),
    check: (port) => checkHttp2(port, headers),
    echo: startHttp2Echo,
  }
}

/** Through one proxy, ours and Envoy by the same bootstrap. */
export function httpProxyCases(): readonly BenchCase[] {
  const unit = { unit: 'requests/s', better: 'higher' } as const
  const one = http1()
  const own = http1({ authorization: benchToken().authorization })
  const [plain, chain] = [{ protocol: 'HTTP1', chain: false } as const, { protocol: 'HTTP1', chain: true } as const]
  return [
    {
      ...unit,
      bench: 'http1-proxy',
      name: `keep-alive, ${CONNECTIONS} connections, 1 KiB; router and access log`,
      ours: contender(one, 'heddle proxy', heddle(plain)),
      peers: [
        peer(one, 'nginx', nginx, findNginx(), { must: 0.75, after: 1 }),
        peer(one, 'haproxy', haproxy, findHaproxy()),
        peer(one, 'envoy', envoy(plain), findEnvoy()),
        contender(one, `node:http ${process.version}`, inNode('node-http-proxy')),
        contender(one, `http-proxy ${packageVersion('http-proxy')}`, inNode('http-proxy'), { must: 2.6, after: 3.5 }),
      ],
    },
    {
      ...unit,
      bench: 'http1-chain',
      name: `the same with 20 RBAC rules, a JWT, 20 routes, CORS, fault, rate limit, retries, breakers, outlier detection and a JSON log`,
      ours: contender(own, 'heddle proxy', heddle(chain)),
      peers: [peer(own, 'envoy', envoy(chain), findEnvoy(), { must: 1.5, after: 2.5 })],
    },
    ...http2Cases(unit),
  ]
}

/** Without haproxy: 2.6 does not get a body of 3 MB through both ways at once, so that none of its numbers would count. */
function http2Cases(unit: Pick<BenchCase, 'unit' | 'better'>): readonly BenchCase[] {
  const [plain, chain] = [{ protocol: 'HTTP2', chain: false } as const, { protocol: 'HTTP2', chain: true } as const]
  const headers = { authorization: benchToken().authorization }
  const many = http2(8, 32)
  const [chained, single] = [http2(8, 32, headers), http2(64, 1, headers)]
  const node = `node:http2 ${process.version}`
  return [
    {
      ...unit,
      bench: 'http2-proxy',
      name: '8 connections of 32 streams, 1 KiB; router and access log',
      ours: contender(many, 'heddle proxy', heddle(plain)),
      peers: [
        contender(many, node, inNode('node-http2-proxy'), { must: 6, after: 15 }),
        peer(many, 'envoy', envoy(plain), findEnvoy()),
      ],
    },
    ...([chained, single] as const).map((harness) => ({
      ...unit,
      bench: 'http2-chain',
      name: `${harness === chained ? '8 connections of 32 streams' : '64 connections of one stream'}, with the chain of http1-chain`,
      ours: contender(harness, 'heddle proxy', heddle(chain)),
      peers: [peer(harness, 'envoy', envoy(chain), findEnvoy(), { must: 2, after: 4 })],
    })),
  ]
}

function missingOf(name: string, program: Program | undefined): string | undefined {
  return program === undefined ? missingProgram(name) : undefined
}

function upstreamMissing(): string | undefined {
  const missing = missingOf('nginx', findNginx())
  return missing === undefined ? undefined : `${missing} (it is the upstream)`
}

function peer(harness: Harness, name: string, proxy: HttpProxy, program: Program | undefined, goal?: Goal): Contender {
  const one = contender(harness, `${name} ${program?.version ?? ''}`.trim(), proxy, goal)
  return program === undefined ? { ...one, missing: missingProgram(name) } : one
}

function contender(harness: Harness, name: string, proxy: HttpProxy, goal?: Goal): Contender {
  return {
    name,
    missing: harness.missing,
    ...(goal === undefined ? {} : { goal }),
    check: (context) => check(harness, proxy, context),
    measure: (context) => measureProxy(proxy, harness.protocol, harness.load, context),
  }
}

async function check(harness: Harness, proxy: HttpProxy, context: RoundContext): Promise<void> {
  const echo = await harness.echo()
  try {
    await withProcesses(async (keep) => {
      const port = await freePort()
      await listening(port, keep(start(context.placement, 'subject', await proxy.command(context, port, echo.port))))
      await harness.check(port)
    })
  } finally {
    echo.close()
  }
}
