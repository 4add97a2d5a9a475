import { afterAll, beforeAll, expect, test } from 'vitest'
import { type App, startApp } from '../src/app.js'
import { type Caller, createCaller } from '../src/call.js'
import { describeCell } from '../src/cell.js'
import type { DataPlane } from '../src/data-plane.js'
import { envoy } from '../src/envoy.js'
import { eventually } from '../src/eventually.js'
import { freePorts } from '../src/free-ports.js'
import { heddleProxy } from '../src/heddle-proxy.js'
import { destinationRule, service, virtualService, workloadEntry } from '../src/kinds.js'
import { createInteropMesh, type InteropMesh } from '../src/mesh.js'
import { findEnvoy } from '../src/tools.js'

// What Istio's kinds lack and annotations of a DestinationRule ask for, in a data plane that we did not write, and in ours.
const tool = findEnvoy()
const CLIENT = { app: 'client' }
const TIMEOUT_MS = 90_000
const CHECKED = { interval: 1, threshold: 2 }
const LIMIT = { perSecond: 10, calls: 300, everyMs: 10 }

describeCell({ controlPlane: '@heddle/mesh, extensions', dataPlane: envoy(tool).name, tool }, () => checks(envoy(tool)))
describeCell({ controlPlane: '@heddle/mesh, extensions', dataPlane: heddleProxy.name }, () => checks(heddleProxy))

function checks(dataPlane: DataPlane): void {
  const apps = new Map<string, App>()
  let mesh: InteropMesh
  let client: Caller

  beforeAll(async () => {
    mesh = await createInteropMesh()
    for (const name of ['one', 'two', 'limited']) apps.set(name, await startApp(name))
    const [httpProxyPort = 0] = await freePorts(1)
    client = createCaller(httpProxyPort)
    const portOf = (name: string): number => apps.get(name)?.port ?? 0
    const health = `{protocol: HTTP, path: /healthz, interval: ${CHECKED.interval}s, timeout: 1s, unhealthyThreshold: ${CHECKED.threshold}, healthyThreshold: 1}`
    mesh.write(
      'checked.yaml',
      service('checked', { app: 'checked' }),
      workloadEntry('one', { labels: { app: 'checked' }, port: portOf('one') }),
      workloadEntry('two', { labels: { app: 'checked' }, port: portOf('two') }),
      destinationRule('checked', { 'heddle.dev/health-check': health }),
      // A retry would hide that a request went to the stopped instance.
      virtualService('checked', 'checked', [{ retries: { attempts: 0 }, route: [{ destination: { host: 'checked' } }] }]),
    )
    mesh.write(
      'limited.yaml',
      service('limited', { app: 'limited' }),
      workloadEntry('limited', { labels: { app: 'limited' }, port: portOf('limited') }),
      destinationRule('limited', { 'heddle.dev/local-rate-limit': `{maxTokens: ${LIMIT.perSecond}, fillInterval: 1s}` }),
    )
    mesh.write('client.yaml', workloadEntry('client', { labels: CLIENT, port: 1 }))
    await mesh.start(dataPlane, { name: 'client', labels: CLIENT, httpProxyPort, variant: 'DELTA_GRPC' })
  }, TIMEOUT_MS)

  afterAll(async () => {
    client?.close()
    await mesh?.close()
    await Promise.all([...apps.values()].map((app) => app.close()))
  }, TIMEOUT_MS)

  test(
    'a stopped instance gets no request after interval x threshold',
    async () => {
      await eventually(
        () => client.spread('checked', 40),
        ({ one = 0, two = 0 }) => one > 5 && two > 5 && one + two === 40,
      )
      await apps.get('two')?.close()
      apps.delete('two')
      // One interval more, as the first check that fails may come as late as that, and what a busy machine takes.
      const patience = CHECKED.interval * (CHECKED.threshold + 1) * 1000 + 5_000
      await eventually(
        () => client.spread('checked', 200),
        ({ one = 0 }) => one === 200,
        patience,
      )
      expect(await client.spread('checked', 200)).toEqual({ one: 200 })
    },
    TIMEOUT_MS,
  )

  test(
    `100 requests a second at a limit of ${LIMIT.perSecond} get 429 nine times in ten`,
    async () => {
      await eventually(
        () => client.call('limited'),
        ({ status }) => status === 200,
      )
      const start = Date.now()
      const answers: Promise<number>[] = []
      const busy = new Set<number>()
      for (let i = 0; i < LIMIT.calls; i++) {
        const wait = start + i * LIMIT.everyMs - Date.now()
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
        busy.add(Math.floor((Date.now() - start) / 1000))
        answers.push(client.call('limited').then(({ status }) => status))
      }
      const statuses = await Promise.all(answers)
      const seconds = (Date.now() - start) / 1000
      const passed = statuses.filter((status) => status === 200).length
      expect(new Set(statuses)).toEqual(new Set([200, 429]))
      // A bucket for every second, and the one that was full.
      expect(passed).toBeLessThanOrEqual(LIMIT.perSecond * (seconds + 2))
      // Of the seconds in which something was asked: a machine that stands still asks for nothing.
      expect(passed).toBeGreaterThanOrEqual(LIMIT.perSecond * (busy.size - 2))
    },
    TIMEOUT_MS,
  )
}
