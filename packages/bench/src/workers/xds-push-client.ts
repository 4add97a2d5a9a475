import { createInterface } from 'node:readline'
import { ChannelCredentials, Client } from '@grpc/grpc-js'
import { decodeDeltaResponse } from '@heddle/xds-types/discovery'
import { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import { DeltaDiscoveryRequest } from '@heddle/xds-types/envoy/service/discovery/v3'
import { CLUSTER_TYPES } from '../clusters.js'
import { CLUSTER_URL } from '../envoy-api.js'

// usage: PORT STREAMS CLUSTERS. That many proxies, each with a connection of its own, which take clusters by Delta and acknowledge.
// Says so once all have all; on each further line what the streams hold.

export interface ClientReport {
  readonly responses: number
  readonly resources: number
  /** The connect timeouts that the streams hold for the clusters that have changed last, each once. */
  readonly last: readonly string[]
}

const [port, streams = '500', clusters = '1000'] = process.argv.slice(2)
const path = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources'
const pass = (bytes: Buffer): Buffer => bytes
let responses = 0
let resources = 0
let full = 0
const last = new Map<number, Uint8Array>()

function open(id: number): void {
  const client = new Client(`127.0.0.1:${port}`, ChannelCredentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_receive_message_length': -1,
  })
  const stream = client.makeBidiStreamRequest(path, pass, pass)
  const send = (request: DeltaDiscoveryRequest): void => void stream.write(Buffer.from(DeltaDiscoveryRequest.encode(request)))
  let got = 0
  stream.on('error', (error: Error) => {
    console.error(`stream ${id}: ${error.message}`)
    process.exit(1)
  })
  stream.on('data', (bytes: Buffer) => {
    const read = decodeDeltaResponse(bytes)
    if (!read.ok) throw new Error(read.diagnostics[0]?.message)
    responses++
    resources += read.value.resources.length
    const before = got
    got += read.value.resources.length
    last.set(id, read.value.resources.at(-1)?.value ?? new Uint8Array())
    send({ type_url: CLUSTER_URL, response_nonce: read.value.nonce })
    if (before < Number(clusters) && got >= Number(clusters) && ++full === Number(streams)) console.log('"full"')
  })
  send({ node: { id: `proxy-${id}` }, type_url: CLUSTER_URL, resource_names_subscribe: ['*'] })
}

for (let id = 0; id < Number(streams); id++) open(id)

for await (const _ of createInterface({ input: process.stdin })) {
  const timeouts = [...last.values()].map((bytes) => {
    const cluster = Cluster.decode(bytes, CLUSTER_TYPES)
    return cluster.ok ? `${cluster.value.name} ${cluster.value.connect_timeout}` : 'unreadable'
  })
  const report: ClientReport = { responses, resources, last: [...new Set(timeouts)] }
  console.log(JSON.stringify(report))
}
