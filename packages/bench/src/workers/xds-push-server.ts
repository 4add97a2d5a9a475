import { createInterface } from 'node:readline'
import { systemClock } from '@heddle/runtime'
import { createSnapshotCache, createXdsServer } from '@heddle/xds-server'
import { listenGrpc } from '@heddle/xds-server/grpc'
import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import { meshCluster } from '../clusters.js'
import { CLUSTER_URL } from '../envoy-api.js'
import { median, percentile } from '../statistics.js'
import { type Pushing, startNaive } from './naive-xds-server.js'

// usage: (ours | naive) CLUSTERS. Serves clusters to every stream; on `push N` changes one cluster N times, each once all streams
// have acknowledged the one before, and says how long that took.

export interface PushReport {
  readonly medianMs: number
  readonly p99Ms: number
  readonly seconds: number
  readonly cpuSeconds: number
}

async function startOurs(clusters: Cluster[]): Promise<Pushing> {
  const cache = createSnapshotCache()
  const server = createXdsServer({ resources: () => cache.watch('all') })
  const publish = (): void => cache.set('all', { groups: [{ id: 'all', resources: new Map([[CLUSTER_URL, [...clusters]]]) }] })
  publish()
  const { port } = await listenGrpc(server, { address: '127.0.0.1:0' })
  return {
    port,
    async change(index, revision) {
      clusters[index] = meshCluster(index, revision)
      publish()
      const { waiting, refused } = await server.applied()
      if (waiting.length + refused.length > 0) throw new Error('not every stream has taken it')
    },
  }
}

const [maker, count = '1000'] = process.argv.slice(2)
const clusters = Array.from({ length: Number(count) }, (_, index) => meshCluster(index))
const serving = await (maker === 'ours' ? startOurs(clusters) : startNaive(clusters))
console.log(JSON.stringify({ port: serving.port }))

let revision = 0
async function pushes(times: number): Promise<PushReport> {
  const cpuBefore = process.cpuUsage()
  const begin = systemClock.monotonic()
  const took: number[] = []
  for (let i = 0; i < times; i++) {
    const start = systemClock.monotonic()
    revision++
    await serving.change((revision * 7) % clusters.length, revision)
    took.push(systemClock.monotonic() - start)
  }
  const { user, system } = process.cpuUsage(cpuBefore)
  const seconds = (systemClock.monotonic() - begin) / 1000
  return { medianMs: median(took), p99Ms: percentile(took, 0.99), seconds, cpuSeconds: (user + system) / 1e6 }
}

for await (const line of createInterface({ input: process.stdin }))
  console.log(JSON.stringify(await pushes(Number(line.split(' ')[1]))))
