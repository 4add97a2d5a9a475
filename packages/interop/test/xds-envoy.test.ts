import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSelfSignedAuthority, issueIdentity, type ReplaceableAuthority, workloadGrant } from '@heddle/ca'
import { systemClock } from '@heddle/runtime'
import { createSnapshotCache, createXdsServer, type Refusal } from '@heddle/xds-server'
import { type GrpcXdsServer, listenGrpc } from '@heddle/xds-server/grpc'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type App, startApp } from '../src/app.js'
import { describeCell } from '../src/cell.js'
import { type AdsVariant, dynamicResources, grpcCluster } from '../src/data-plane.js'
import { ADS, type EdgeWish, edgeResources, TYPES, toSet } from '../src/edge-scene.js'
import { type RunningEnvoy, startEnvoy } from '../src/envoy.js'
import { eventually } from '../src/eventually.js'
import { freePorts } from '../src/free-ports.js'
import { type Load, startLoad } from '../src/load.js'
import { type Poison, poisons } from '../src/poison.js'
import { findEnvoy, labelOf } from '../src/tools.js'

// Stock Envoy takes everything by discovery from a server of no more than the library, under load from a process of its own.
const NODE = 'edge'
const RATE = 100
const TIMEOUT_MS = 120_000
const tool = findEnvoy()

for (const variant of ['DELTA_GRPC', 'GRPC'] as const) {
  const controlPlane = `@heddle/xds-server, ${variant === 'GRPC' ? 'SotW' : 'Delta'} ADS`
  describeCell({ controlPlane, dataPlane: labelOf(tool), tool }, () => checks(variant))
}

function checks(variant: AdsVariant): void {
  const cache = createSnapshotCache()
  const server = createXdsServer({ resources: (node) => cache.watch(node.id) })
  const folder = mkdtempSync(join(tmpdir(), 'heddle-edge-'))
  const roots = join(folder, 'roots.pem')
  const apps: App[] = []
  let authority: ReplaceableAuthority
  let listener: GrpcXdsServer
  let running: RunningEnvoy
  let wish: EdgeWish
  const loads: Load[] = []

  const issue = (): ReturnType<typeof issueIdentity> =>
    issueIdentity(authority, workloadGrant({ trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'edge' }))
  /** Sets what changes, and resolves when Envoy has answered. Its workers follow a moment after its ACK. */
  const give = async (change: Partial<EdgeWish>, poison?: Poison): Promise<readonly Refusal[]> => {
    wish = { ...wish, ...change }
    const resources = edgeResources(wish)
    if (poison !== undefined) {
      const others = resources[poison.type].filter((resource) => nameOf(resource) !== poison.name)
      resources[poison.type] = [...others, poison.resource]
    }
    cache.set(NODE, toSet(resources))
    const { refused, left } = await server.applied()
    expect(left).toEqual([])
    return refused
  }
  /** Envoy acknowledges before its workers have taken a change over: waits until many connections in a row, so each worker, answer by it. */
  const answeredBy = (name: string): Promise<unknown> =>
    eventually(
      async () => (await Promise.all(Array.from({ length: 20 }, () => ask(wish.port)))).map(({ body }) => body),
      (bodies) => bodies.every((body) => body === name),
    )
  const startedLoad = (): Load => {
    const script = join(import.meta.dirname, 'https-load.mjs')
    const load = startLoad(process.execPath, [script, String(wish.port), String(RATE), roots])
    loads.push(load)
    return load
  }

  beforeAll(async () => {
    authority = await createSelfSignedAuthority({ clock: systemClock })
    apps.push(await startApp('v1'), await startApp('v2'))
    const [port = 0] = await freePorts(1)
    const identity = await issue()
    writeFileSync(roots, identity.trustBundle)
    const ports = Object.fromEntries(apps.map((app) => [app.name, app.port]))
    wish = { port, apps: ports, weights: { v1: 100 }, identity, teapotStatus: 418, runtime: 1 }
    cache.set(NODE, toSet(edgeResources(wish)))
    listener = await listenGrpc(server, { address: '127.0.0.1:0', drainMs: 500 })
    running = await startEnvoy(tool, {
      node: { id: NODE, cluster: 'edge' },
      dynamic_resources: dynamicResources(variant, 'xds'),
      static_resources: { clusters: [grpcCluster('xds', `127.0.0.1:${listener.port}`)] },
      layered_runtime: { layers: [{ name: 'rtds', rtds_layer: { name: 'runtime', rtds_config: ADS } }] },
    })
    await eventually(
      () => ask(wish.port),
      ({ status }) => status === 200,
    )
  }, TIMEOUT_MS)

  afterAll(async () => {
    for (const load of loads) await load.stop()
    await running?.close()
    await listener?.close()
    for (const app of apps) await app.close()
    rmSync(folder, { recursive: true, force: true })
  }, TIMEOUT_MS)

  test('listeners, routes, clusters, endpoints, secrets, extensions and runtime come by discovery', async () => {
    const types = (): string[] => {
      const [stream] = [...server.status()]
      return [...(stream?.types.values() ?? [])].map(({ typeUrl, state }) => `${typeUrl} ${state}`).sort()
    }
    // It may answer requests before the last of its acknowledgements is here.
    await expect.poll(types).toEqual(
      Object.values(TYPES)
        .map((typeUrl) => `${typeUrl} SYNCED`)
        .sort(),
    )
  })

  test(
    'a filter follows its extension config, the runtime its layer (ECDS, RTDS)',
    async () => {
      expect(await ask(wish.port, { 'x-teapot': 'yes' })).toMatchObject({ status: 418 })
      expect(await give({ teapotStatus: 429, runtime: 2 })).toEqual([])
      await eventually(
        () => ask(wish.port, { 'x-teapot': 'yes' }),
        ({ status }) => status === 429,
      )
      expect(await (await fetch(`http://${running.admin}/runtime`)).json()).toMatchObject({
        entries: { 'heddle.key': { final_value: '2' } },
      })
    },
    TIMEOUT_MS,
  )

  test(
    'traffic goes through a weight change, a cluster that leaves and a certificate rotation without one failure',
    async () => {
      const generator = startedLoad()
      await generator.only('v1')
      await answeredMore(apps, 50)
      expect(await give({ weights: { v1: 100, v2: 0 } })).toEqual([])
      const [before, next] = [wish.identity, await issue()]
      expect(await give({ identity: next })).toEqual([])
      await answeredMore(apps, 60)
      // v1 goes with its cluster and its endpoints, in one step.
      await generator.only('*')
      expect(await give({ weights: { v2: 100 } })).toEqual([])
      await answeredBy('v2')
      await generator.only('v2')
      await answeredMore(apps, 100)
      const { failures, answers, certificates } = await generator.end()
      expect(failures).toEqual([])
      expect(answers).toMatchObject({ v1: expect.any(Number), v2: expect.any(Number) })
      expect(Object.keys(certificates).sort()).toEqual([fingerprint(before), fingerprint(next)].sort())
    },
    TIMEOUT_MS,
  )

  test(
    'at least 40 poisoned resources are refused, each told with its name and the reason, while the last good one serves',
    async () => {
      expect(await give({ weights: { v1: 100 } })).toEqual([])
      await answeredBy('v1')
      const generator = startedLoad()
      await generator.only('v1')
      const [{ certificateChain }, { privateKey }] = [await issue(), await issue()]
      const all = poisons(certificateChain, privateKey)
      expect(all.length).toBeGreaterThanOrEqual(40)
      for (const poison of all) {
        const title = `${poison.type}: ${poison.why}`
        const refused = await give({}, poison)
        expect(refused, title).toMatchObject([{ nodeId: NODE, typeUrl: TYPES[poison.type], resources: [poison.name] }])
        expect(refused[0]?.message.length, title).toBeGreaterThan(10)
        const [stream] = [...server.status()]
        expect(stream?.types.get(TYPES[poison.type]), title).toMatchObject({
          state: 'NACKED',
          nacked: { resources: [poison.name], error: { message: refused[0]?.message } },
        })
        expect(await give({}), title).toEqual([])
      }
      await answeredMore(apps, 20)
      const { failures, answers, sent } = await generator.end()
      expect(failures).toEqual([])
      expect(answers).toEqual({ v1: sent })
    },
    TIMEOUT_MS,
  )
}

function nameOf(resource: object): unknown {
  const { name, cluster_name } = resource as { name?: string; cluster_name?: string }
  return name ?? cluster_name
}

/** Resolves when the apps have answered so many requests more. */
async function answeredMore(apps: readonly App[], count: number): Promise<void> {
  const total = (): number => apps.reduce((sum, app) => sum + app.answered, 0)
  const before = total()
  await eventually(total, (now) => now >= before + count)
}

function fingerprint({ certificateChain }: EdgeWish['identity']): string {
  return new X509Certificate(certificateChain).fingerprint256
}

function ask(port: number, headers: Record<string, string> = {}): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, agent: false, headers: { host: 'shop', ...headers }, rejectUnauthorized: false }
    const outgoing = request(options, (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString()
      })
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    outgoing.once('error', reject)
    outgoing.end()
  })
}
