import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { BenchCase, Contender, RoundContext, Sample } from '../bench-case.js'
import { findEnvoy, findNginx, findWrk, missingProgram, type Program } from '../peers/find.js'
import { freePort, listening, start, withProcesses } from '../running.js'
import { runWrk } from '../wrk.js'
import type { Work } from './http-proxy/bootstrap.js'
import { jwtFilter, rbacFilter } from './http-proxy/chain.js'
import { checkHttp1, startEcho } from './http-proxy/check-http1.js'
import { type Load, measureProxy } from './http-proxy/measure.js'
import { envoy, type HttpProxy, heddle } from './http-proxy/proxies.js'
import { benchToken } from './http-proxy/token.js'

/** What policies cost a request, over a proxy with router and log only: CPU time with them less CPU time without. */
export function policyCases(): readonly BenchCase[] {
  return [
    policyCase('20 RBAC rules, the last of which allows', 200, () => [rbacFilter(20)]),
    policyCase('1,000 RBAC rules, the last of which allows', 200, () => [rbacFilter(1000)]),
    policyCase('a JWT that is in the cache', 401, () => [jwtFilter()]),
  ]
}

const PLAIN: Work = { protocol: 'HTTP1', chain: false }

/** `anonymous`: what a request without a token is answered. */
function policyCase(what: string, anonymous: number, filters: () => readonly object[]): BenchCase {
  const work = (): Work => ({ ...PLAIN, filters: filters() })
  return {
    bench: 'ca-policy',
    name: `${what}: CPU time added to a request, HTTP/1.1 keep-alive`,
    unit: 'µs CPU',
    better: 'lower',
    ours: contender('heddle proxy', heddle, work, anonymous),
    peers: [peer('envoy', contender(`envoy ${findEnvoy()?.version ?? ''}`.trim(), envoy, work, anonymous), findEnvoy())],
  }
}

function peer(name: string, contender: Contender, program: Program | undefined): Contender {
  return program === undefined ? { ...contender, missing: missingProgram(name) } : contender
}

const headers = (): Readonly<Record<string, string>> => ({ authorization: benchToken().authorization })
const load: Load = (options) => runWrk({ ...options, connections: 64, headers: headers() })
/** Below this a difference of two measurements says nothing. */
const LEAST_MICROS = 0.1

function contender(name: string, proxy: (work: Work) => HttpProxy, work: () => Work, anonymous: number): Contender {
  return {
    name,
    missing: findWrk() === undefined ? missingProgram('wrk') : findNginx() === undefined ? missingProgram('nginx') : undefined,
    check: (context) => check(proxy(work()), anonymous, context),
    async measure(context): Promise<Sample> {
      const without = await measureIn('without', proxy(PLAIN), context)
      const withThem = await measureIn('with', proxy(work()), context)
      const problem = without.unusable ?? withThem.unusable
      const [less, more] = [without.cpuMicros, withThem.cpuMicros]
      if (less === undefined || more === undefined)
        return { ...withThem, unusable: problem ?? 'the system does not tell CPU times' }
      const added = Math.max(more - less, LEAST_MICROS)
      return {
        value: added,
        cpuMicros: added,
        more: { 'µs without': less, 'µs with': more },
        ...(problem === undefined ? {} : { unusable: problem }),
      }
    },
  }
}

/** Each has a folder of its own: upstream, bootstrap and log lie there. */
async function measureIn(name: string, proxy: HttpProxy, context: RoundContext): Promise<Sample> {
  const folder = join(context.folder, name)
  await mkdir(folder)
  return measureProxy(proxy, { protocol: 'HTTP1', judged: 'rate', load }, { ...context, folder })
}

/** The proxy does all that the one without policies does, and knows who is to be let in. */
async function check(proxy: HttpProxy, anonymous: number, context: RoundContext): Promise<void> {
  const echo = await startEcho()
  try {
    await withProcesses(async (keep) => {
      const port = await freePort()
      await listening(port, keep(start(context.placement, 'subject', await proxy.command(context, port, echo.port))))
      await checkHttp1(port, headers())
      const { status } = await fetch(`http://127.0.0.1:${port}/`)
      if (status !== anonymous) throw new Error(`without a token the answer is ${status}`)
    })
  } finally {
    echo.close()
  }
}
