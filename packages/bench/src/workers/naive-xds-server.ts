import { Server, ServerCredentials, type ServerDuplexStream, type ServiceDefinition } from '@grpc/grpc-js'
import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type protobuf from 'protobufjs'
import { meshCluster } from '../clusters.js'
import { CLUSTER, CLUSTER_URL, forReflection, loadEnvoyApi } from '../envoy-api.js'

/** A server under the push bench. */
export interface Pushing {
  readonly port: number
  /** Changes one cluster; resolves when every stream has acknowledged it. */
  change(index: number, revision: number): Promise<void>
}

interface DeltaRequest {
  readonly response_nonce?: string
}

interface NaiveStream {
  readonly call: ServerDuplexStream<DeltaRequest, object>
  readonly sent: Map<string, string>
  nonce: number
}

interface Entry {
  readonly name: string
  readonly version: string
  readonly body: object
}

const PATH = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources'

/** As one writes it first: each stream compares all resources with what it was sent, and encodes what is new for itself. */
export async function startNaive(clusters: readonly Cluster[]): Promise<Pushing> {
  const root = loadEnvoyApi()
  const type = root.lookupType(CLUSTER)
  const response = root.lookupType('envoy.service.discovery.v3.DeltaDiscoveryResponse')
  const entryOf = (cluster: Cluster, revision: number): Entry => ({
    name: cluster.name ?? '',
    version: String(revision),
    body: { '@type': CLUSTER_URL, ...forReflection(root, type, cluster) },
  })
  const entries = clusters.map((cluster) => entryOf(cluster, 0))
  // The first state is encoded once for all: half a million encodings would only delay what is measured.
  const first = encode(response, { type_url: CLUSTER_URL, nonce: '1', resources: entries.map(resourceOf) })
  const streams = new Set<NaiveStream>()
  let acknowledged = (): void => {}
  const begin = (stream: NaiveStream): void => {
    for (const { name, version } of entries) stream.sent.set(name, version)
    stream.nonce = 1
    stream.call.write(first)
  }
  const push = (stream: NaiveStream): void => {
    const fresh = entries.filter(({ name, version }) => stream.sent.get(name) !== version)
    for (const { name, version } of fresh) stream.sent.set(name, version)
    if (fresh.length > 0)
      stream.call.write({ type_url: CLUSTER_URL, nonce: String(++stream.nonce), resources: fresh.map(resourceOf) })
  }
  const serve = (call: ServerDuplexStream<DeltaRequest, object>): void => {
    const stream: NaiveStream = { call, sent: new Map(), nonce: 0 }
    streams.add(stream)
    call.on('data', ({ response_nonce = '' }: DeltaRequest) => (response_nonce === '' ? begin(stream) : acknowledged()))
    call.on('error', () => streams.delete(stream))
    call.on('end', () => streams.delete(stream))
  }
  return {
    port: await listen(definitionOf(root, response), serve),
    change(index, revision) {
      entries[index] = entryOf(meshCluster(index, revision), revision)
      let left = streams.size
      return new Promise((resolve) => {
        acknowledged = () => {
          if (--left === 0) resolve()
        }
        for (const stream of streams) push(stream)
      })
    },
  }
}

function resourceOf({ name, version, body }: Entry): object {
  return { name, version, resource: body }
}

function encode(type: protobuf.Type, value: object): Buffer {
  return Buffer.from(type.encode(type.fromObject(value)).finish())
}

/** Messages by reflection, as @grpc/proto-loader has them; what is bytes already passes. */
function definitionOf(root: protobuf.Root, response: protobuf.Type): ServiceDefinition {
  const request = root.lookupType('envoy.service.discovery.v3.DeltaDiscoveryRequest')
  return {
    Delta: {
      path: PATH,
      requestStream: true,
      responseStream: true,
      requestSerialize: (value: object) => encode(request, value),
      requestDeserialize: (bytes: Buffer) => request.toObject(request.decode(bytes)),
      responseSerialize: (value: object) => (Buffer.isBuffer(value) ? value : encode(response, value)),
      responseDeserialize: (bytes: Buffer) => response.toObject(response.decode(bytes)),
    },
  }
}

function listen(definition: ServiceDefinition, serve: (call: ServerDuplexStream<DeltaRequest, object>) => void): Promise<number> {
  const server = new Server({ 'grpc.max_send_message_length': -1 })
  server.addService(definition, { Delta: serve })
  return new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    ),
  )
}
