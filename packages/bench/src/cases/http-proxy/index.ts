import type { BenchCase } from '../../bench-case.js'
import { findEnvoy, findHaproxy, findNginx, packageVersion } from '../../peers/find.js'
import type { Work } from './bootstrap.js'
import { CONNECTIONS, contender, http1, http2, peer } from './harness.js'
import { labelsCase } from './labels.js'
import { latencyCases } from './latency.js'
import { envoy, haproxy, heddle, inNode, nginx } from './proxies.js'
import { benchToken } from './token.js'

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
        peer(one, 'nginx', nginx(), findNginx(), { must: 0.75, after: 1 }),
        peer(one, 'haproxy', haproxy(), findHaproxy()),
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
    tlsCase(unit),
    labelsCase(),
    ...latencyCases(),
    ...http2Cases({ unit: 'requests/CPU s', better: 'higher' }),
  ]
}

function http2Cases(unit: Pick<BenchCase, 'unit' | 'better'>): readonly BenchCase[] {
  const [plain, chain] = [{ protocol: 'HTTP2', chain: false } as const, { protocol: 'HTTP2', chain: true } as const]
  const headers = { authorization: benchToken().authorization }
  const node = `node:http2 ${process.version}`
  const haproxyGoal = { must: 0.6, after: 1.2 }
  const shapes = [
    { name: '8 connections of 32 streams', connections: 8, streams: 32, haproxyGoal, nodeGoal: { must: 6, after: 15 } },
    { name: '64 connections of one stream', connections: 64, streams: 1 },
  ]
  return [
    ...shapes.map(({ name, connections, streams, haproxyGoal: goal, nodeGoal }) => {
      const harness = http2(connections, streams)
      // haproxy 2.6 hangs where bodies pass both ways at once. The load is GET alone, and its name says so.
      const lighter = http2(connections, streams, {}, false)
      return {
        ...unit,
        bench: 'http2-proxy',
        name: `${name}, 1 KiB; router and access log`,
        ours: contender(harness, 'heddle proxy', heddle(plain)),
        peers: [
          contender(harness, node, inNode('node-http2-proxy'), nodeGoal),
          peer(lighter, 'haproxy (GET alone)', haproxy('HTTP2'), findHaproxy(), goal),
          peer(harness, 'envoy', envoy(plain), findEnvoy()),
        ],
      }
    }),
    ...shapes.map(({ name, connections, streams }) => {
      const harness = http2(connections, streams, headers)
      return {
        ...unit,
        bench: 'http2-chain',
        name: `${name}, with the chain of http1-chain`,
        ours: contender(harness, 'heddle proxy', heddle(chain)),
        peers: [peer(harness, 'envoy', envoy(chain), findEnvoy(), { must: 2, after: 4 })],
      }
    }),
  ]
}

/** TLS ends at the proxy; upstream is plain. */
function tlsCase(unit: Pick<BenchCase, 'unit' | 'better'>): BenchCase {
  const harness = http1({}, true)
  const work: Work = { protocol: 'HTTP1', chain: false, secure: true }
  return {
    ...unit,
    bench: 'http1-tls',
    name: `TLS termination: keep-alive, ${CONNECTIONS} connections, 1 KiB; router and access log`,
    ours: contender(harness, 'heddle proxy', heddle(work)),
    peers: [
      peer(harness, 'nginx', nginx(work), findNginx(), { must: 0.7, after: 0.9 }),
      peer(harness, 'envoy', envoy(work), findEnvoy()),
    ],
  }
}
