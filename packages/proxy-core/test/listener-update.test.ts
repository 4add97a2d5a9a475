import { Agent } from 'node:http'
import { createMetricsRegistry, createWatch, silentLogger, systemClock, systemRandom } from '@heddle/runtime'
import type { Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import { expect, it } from 'vitest'
import { compileListener } from '../src/config/listener.js'
import { createLivePath } from '../src/live.js'
import { createTls } from '../src/net/node-tls.js'
import { createSystemNetwork } from '../src/net/socket.js'
import { createListenerManager } from '../src/state/listener-manager.js'
import { testDeps } from '../src/testing.js'
import { cluster, endpoint } from './harness.js'
import { ask, httpManager, later, listener, routes, TYPES, until, upstream } from './support.js'

const UPDATES = 50
const CLIENTS = 8

const anybody = { permissions: [{ any: true }], principals: [{ any: true }] }
const denyAll = {
  name: 'rbac',
  typed_config: { '@type': `${TYPES}.http.rbac.v3.RBAC`, rules: { action: 'DENY', policies: { all: anybody } } },
}
const router = { name: 'router', typed_config: { '@type': `${TYPES}.http.router.v3.Router` } }
const ingress = (revision: number, filters: readonly object[]): object => {
  const routing = { route_config: routes([{ match: { prefix: '/' }, route: { cluster: 'web' } }]) }
  return listener('ingress', httpManager(routing, { server_name: `r${revision}`, http_filters: [...filters, router] }))
}

async function start() {
  const clock = systemClock
  const network = createSystemNetwork({ clock })
  const stats = createMetricsRegistry()
  const live = createLivePath({
    ...{ network, clock, stats, random: systemRandom, logger: silentLogger, tls: createTls() },
    lookup: () => Promise.reject(new Error('no names here')),
    node: { id: 'n', cluster: 'c', metadata: {} },
    routes: () => createWatch(undefined),
  })
  const web = await upstream((_, response) => response.end('web'))
  live.clusters.set(cluster('web', [endpoint(web)]), undefined)
  const listeners = createListenerManager({ network, clock, logger: silentLogger, drainTimeMs: 600_000, start: live.start })
  later(async () => {
    await listeners.close()
    live.clusters.close()
  })
  const put = async (message: object): Promise<void> => {
    const compiled = compileListener(message as Listener, testDeps(), 'ingress')
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.diagnostics))
    await listeners.set(compiled.value)
  }
  return { put, listeners, port: (): number => listeners.listeners[0]?.address.port ?? 0 }
}

/** Keep-alive clients that never rest; `done` counts answers. */
function load(port: number, check: (begun: number, status: number) => void, now: () => number) {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS })
  later(async () => agent.destroy())
  const failures: unknown[] = []
  let running = true
  let done = 0
  const client = async (): Promise<void> => {
    while (running) {
      const begun = now()
      await ask(port, '/', { agent }).then(
        ({ status }) => check(begun, status),
        (error) => failures.push(error),
      )
      done++
    }
  }
  const clients = Promise.all(Array.from({ length: CLIENTS }, client))
  return {
    failures,
    get done() {
      return done
    },
    async stop() {
      running = false
      await clients
    },
  }
}

it('fifty updates under load fail no request, and none is answered by a chain that was gone when it began', async () => {
  const { put, listeners, port } = await start()
  await put(ingress(0, []))
  let inForce = 0
  const wrong: string[] = []
  const statuses = new Set<number>()
  const check = (begun: number, status: number): void => {
    statuses.add(status)
    // Odd revisions deny. What began and ended under one revision must have been judged by it.
    if (begun === inForce && status !== (begun % 2 === 1 ? 403 : 200)) wrong.push(`${status} under revision ${begun}`)
  }
  const traffic = load(port(), check, () => inForce)
  for (let revision = 1; revision <= UPDATES; revision++) {
    const before = traffic.done
    // In between nobody knows which one answers.
    inForce = revision - 0.5
    await put(ingress(revision, revision % 2 === 1 ? [denyAll] : []))
    inForce = revision
    await until('requests go on', () => traffic.done >= before + 2 * CLIENTS)
  }
  await traffic.stop()
  expect(traffic.failures).toEqual([])
  expect(wrong).toEqual([])
  expect(statuses).toEqual(new Set([200, 403]))
  expect(listeners.draining).toBe(0)
  expect(listeners.listeners[0]?.connections).toBe(CLIENTS)
}, 60_000)
