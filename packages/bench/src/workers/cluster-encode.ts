import { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import { CLUSTER_TYPES, meshCluster } from '../clusters.js'
import { CLUSTER, forReflection, loadEnvoyApi } from '../envoy-api.js'
import { serveWork } from './work.js'

// usage: ours | protobufjs. JSON -> wire of one cluster after the other.

const encoders: Readonly<Record<string, () => (index: number) => Uint8Array>> = {
  ours() {
    const clusters = Array.from({ length: 100 }, (_, index) => meshCluster(index))
    return (index) => Cluster.encode(clusters[index]!, CLUSTER_TYPES)
  },
  protobufjs() {
    const root = loadEnvoyApi()
    const type = root.lookupType(CLUSTER)
    const clusters = Array.from({ length: 100 }, (_, index) => forReflection(root, type, meshCluster(index)))
    return (index) => type.encode(type.fromObject(clusters[index]!)).finish()
  },
}

const encode = encoders[process.argv[2] ?? '']!()
let next = 0
let written = 0
await serveWork({
  show: () => [0, 1, 99].map((index) => Buffer.from(encode(index)).toString('base64')),
  run() {
    written += encode(next).length
    next = (next + 1) % 100
  },
})
if (written < 0) console.log('"never: the bytes must be used"')
