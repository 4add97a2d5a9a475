import type { Contender, Goal, RoundContext } from '../../bench-case.js'
import { runH2load } from '../../h2load.js'
import { findH2load, findHaproxy, findNginx, findWrk, missingProgram, type Program } from '../../peers/find.js'
import { freePort, listening, start, withProcesses } from '../../running.js'
import { runWrk } from '../../wrk.js'
import { checkHttp1, type Headers, startEcho } from './check-http1.js'
import { checkHttp2, startHttp2Echo } from './check-http2.js'
import { type Measured, measureProxy } from './measure.js'
import type { HttpProxy } from './proxies.js'

export const CONNECTIONS = 64

/** One protocol: what puts it under load, what checks it, and what it takes to measure it. */
export interface Harness extends Measured {
  /** Why nothing can be measured here. */
  readonly missing: string | undefined
  check(port: number): Promise<void>
  echo(): Promise<{ port: number; close(): void }>
}

/** `headers`: what every request brings; `secure`: over TLS. */
export function http1(headers: Headers = {}, secure = false): Harness {
  const urlOf = (url: string): string => (secure ? url.replace('http:', 'https:') : url)
  return {
    protocol: 'HTTP1',
    judged: 'rate',
    load: (options) => runWrk({ ...options, url: urlOf(options.url), connections: CONNECTIONS, headers }),
    missing: missingOf('wrk', findWrk()) ?? upstreamMissing('nginx', findNginx()),
    check: (port) => checkHttp1(port, headers, secure),
    echo: startEcho,
  }
}

/** `bodies`: requests of the check have them. */
export function http2(connections: number, streams: number, headers: Headers = {}, bodies = true): Harness {
  const flags = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  return {
    protocol: 'HTTP2',
    judged: 'cpu',
    load: (options) => runH2load({ ...options, connections, streams, flags }),
    missing: missingOf('h2load', findH2load()) ?? upstreamMissing('haproxy', findHaproxy()),
    check: (port) => checkHttp2(port, headers, bodies),
    echo: startHttp2Echo,
  }
}

function missingOf(name: string, program: Program | undefined): string | undefined {
  return program === undefined ? missingProgram(name) : undefined
}

function upstreamMissing(name: string, program: Program | undefined): string | undefined {
  const missing = missingOf(name, program)
  return missing === undefined ? undefined : `${missing} (it is the upstream)`
}

export function peer(harness: Harness, name: string, proxy: HttpProxy, program: Program | undefined, goal?: Goal): Contender {
  const one = contender(harness, `${name} ${program?.version ?? ''}`.trim(), proxy, goal)
  return program === undefined ? { ...one, missing: missingProgram(name) } : one
}

export function contender(harness: Harness, name: string, proxy: HttpProxy, goal?: Goal): Contender {
  return {
    name,
    missing: harness.missing,
    ...(goal === undefined ? {} : { goal }),
    check: (context) => check(harness, proxy, context),
    measure: (context) => measureProxy(proxy, harness, context),
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
