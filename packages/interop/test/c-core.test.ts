import { join } from 'node:path'
import { createSnapshotCache, createXdsServer, type XdsEvent } from '@heddle/xds-server'
import { type GrpcXdsServer, listenGrpc } from '@heddle/xds-server/grpc'
import type { ResourceGroup } from '@heddle/xds-types'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeCell } from '../src/cell.js'
import { runChild } from '../src/child.js'
import { eventually } from '../src/eventually.js'
import { type Greeter, startGreeter } from '../src/greeter.js'
import { brokenTarget, clustersOf, onHeader, targetOf, weighted } from '../src/proxyless.js'
import { findCCore, labelOf } from '../src/tools.js'

// grpc-js, the other client of gRPC's own, is in packages/xds-server/test/grpc-client.test.ts.
const NODE = 'c-core-client'
const TARGET = 'greeter'
const TIMEOUT_MS = 90_000
const tool = findCCore()

describeCell({ controlPlane: '@heddle/xds-server, SotW ADS', dataPlane: `${labelOf(tool)} by xds:///`, tool }, () => {
  const cache = createSnapshotCache()
  const server = createXdsServer({ resources: (node) => cache.watch(node.id) })
  const greeters: Greeter[] = []
  const refusals: Extract<XdsEvent, { kind: 'nacked' }>[] = []
  let listener: GrpcXdsServer

  const serve = (...groups: ResourceGroup[]): void => cache.set(NODE, { groups: [clustersOf(greeters), ...groups] })
  /** Resolves when the greeter has answered more calls than it had by now. */
  const calledAgain = async (name: string): Promise<void> => {
    const greeter = greeters.find((one) => one.name === name)
    const before = greeter?.answered ?? 0
    await eventually(
      () => greeter?.answered ?? 0,
      (answered) => answered > before,
    )
  }
  const client = async (...args: string[]): Promise<Record<string, number>> => {
    const bootstrap = {
      xds_servers: [
        { server_uri: `127.0.0.1:${listener.port}`, channel_creds: [{ type: 'insecure' }], server_features: ['xds_v3'] },
      ],
      node: { id: NODE, cluster: 'test', locality: { region: 'here' } },
    }
    const script = join(import.meta.dirname, 'c-core-client.py')
    const env = { GRPC_XDS_BOOTSTRAP_CONFIG: JSON.stringify(bootstrap), GRPC_VERBOSITY: 'NONE' }
    return JSON.parse(await runChild(tool.path, [script, `xds:///${TARGET}`, ...args], env)) as Record<string, number>
  }

  beforeAll(async () => {
    greeters.push(await startGreeter('v1'), await startGreeter('v2'))
    server.subscribe((event) => {
      if (event.kind === 'nacked') refusals.push(event)
    })
    listener = await listenGrpc(server, { address: '127.0.0.1:0', drainMs: 500 })
  }, TIMEOUT_MS)

  afterAll(async () => {
    for (const greeter of greeters) greeter.close()
    await listener?.close()
  }, TIMEOUT_MS)

  test(
    'calls follow the weights, 90 to 10',
    async () => {
      serve(targetOf(TARGET, [weighted({ v1: 90, v2: 10 })]))
      const found = await client('300')
      expect(Object.keys(found).sort()).toEqual(['v1', 'v2'])
      expect(found['v1']).toBeGreaterThan(230)
      expect(found['v2']).toBeGreaterThan(6)
    },
    TIMEOUT_MS,
  )

  test(
    'calls follow a header',
    async () => {
      serve(targetOf(TARGET, [onHeader('tier', 'beta', 'v2'), weighted({ v1: 100 })]))
      expect(await client('20')).toEqual({ v1: 20 })
      expect(await client('20', 'tier=beta')).toEqual({ v2: 20 })
    },
    TIMEOUT_MS,
  )

  test(
    'calls follow a change under way, without one failure',
    async () => {
      serve(targetOf(TARGET, [weighted({ v1: 100 })]))
      const counts = client('until', 'v2')
      await calledAgain('v1')
      serve(targetOf(TARGET, [weighted({ v2: 100 })]))
      const found = await counts
      expect(Object.keys(found).sort()).toEqual(['v1', 'v2'])
    },
    TIMEOUT_MS,
  )

  test('nothing was refused but what is wrong', () => expect(refusals).toEqual([]))

  test(
    'what it refuses is told with its reason, and the last good one serves on',
    async () => {
      serve(targetOf(TARGET, [weighted({ v1: 100 })]))
      const counts = client('until', 'v2')
      await calledAgain('v1')
      serve(brokenTarget(TARGET))
      const refusal = await eventually(
        () => refusals[0],
        (first) => first !== undefined,
      )
      expect(refusal?.error.message).toContain(TARGET)
      refusals.length = 0
      serve(targetOf(TARGET, [weighted({ v2: 100 })]))
      expect(Object.keys(await counts).sort()).toEqual(['v1', 'v2'])
    },
    TIMEOUT_MS,
  )
})
