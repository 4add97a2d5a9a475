import { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { BenchCase } from '../bench-case.js'
import { CLUSTER_TYPES, meshCluster } from '../clusters.js'
import { CLUSTER, forReflection, loadEnvoyApi } from '../envoy-api.js'
import { looped } from '../looped.js'
import { packageVersion } from '../peers/find.js'

/** Canonical JSON of a sidecar's cluster to bytes. The peer gets it with durations, wrappers and structs spelled out beforehand. */
export function clusterEncode(): BenchCase {
  return {
    bench: 'cluster-encode',
    name: 'JSON to wire, an outbound mTLS cluster with three Any',
    unit: 'clusters/s',
    better: 'higher',
    ours: looped({ name: 'xds-types', worker: 'cluster-encode', args: ['ours'], verify: sameAsPeer }),
    peers: [
      looped({
        name: `protobufjs ${packageVersion('protobufjs')} reflection`,
        worker: 'cluster-encode',
        args: ['protobufjs'],
        verify: sameAsOurs,
      }),
    ],
  }
}

const SHOWN = [0, 1, 99]

/** Both write fields by number and have no choice left in these messages: each side's bytes are the other's. */
function sameAsPeer(shown: unknown): void {
  const root = loadEnvoyApi()
  const type = root.lookupType(CLUSTER)
  compare(shown, (index) => type.encode(type.fromObject(forReflection(root, type, meshCluster(index)))).finish())
}

function sameAsOurs(shown: unknown): void {
  compare(shown, (index) => Cluster.encode(meshCluster(index), CLUSTER_TYPES))
}

function compare(shown: unknown, wanted: (index: number) => Uint8Array): void {
  const got = shown as readonly string[]
  SHOWN.forEach((index, at) => {
    const bytes = Buffer.from(wanted(index)).toString('base64')
    if (got[at] !== bytes) throw new Error(`cluster ${index} became ${got[at]}, the other encoder says ${bytes}`)
  })
}
