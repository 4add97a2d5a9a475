import { compressionAlgorithms, Server, ServerCredentials, ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js'
import { afterEach, expect, test } from 'vitest'
import { directStreamOf } from '../src/grpc/direct-stream.js'
import { ADS, addXdsService, definitionOf, SERVER_CHANNEL_OPTIONS } from '../src/grpc/index.js'
import { createSnapshotCache, createXdsServer } from '../src/index.js'
import { connect } from './client.js'

const CDS = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'
const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

async function bind(server: Server): Promise<number> {
  undo.push(() => server.forceShutdown())
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port)))
  })
}

const seeing: ServerInterceptor = (_, call) => new ServerInterceptingCall(call)

test.each([
  ['past grpc-js', {}, {}],
  ['through it, where the server has interceptors', { interceptors: [seeing] }, {}],
  ['through it, where the client compresses', {}, { 'grpc.default_compression_algorithm': compressionAlgorithms.gzip }],
])('messages go %s', async (_, serverOptions, channelOptions) => {
  const cache = createSnapshotCache()
  const xds = createXdsServer({ resources: () => cache.watch('n') })
  const server = new Server({ ...SERVER_CHANNEL_OPTIONS, ...serverOptions })
  addXdsService(server, xds)
  const client = connect(await bind(server), { channelOptions })
  undo.push(() => client.close())
  const set = (...names: string[]): void =>
    cache.set('n', { groups: [{ id: 'all', resources: new Map([[CDS, names.map((name) => ({ name }))]]) }] })
  set('a', 'b')
  const stream = client.delta()
  stream.send({ node: { id: 'n' }, type_url: CDS, resource_names_subscribe: ['*', 'x'.repeat(50_000)] })
  for (const names of [['a', 'b'], ['c']]) {
    const response = await stream.next()
    expect(response.resources?.map(({ name }) => name)).toEqual(names)
    stream.send({ type_url: CDS, response_nonce: response.nonce ?? '' })
    if (names[0] === 'a') set('a', 'b', 'c')
  }
  await expect.poll(async () => [...xds.status()].map(({ types }) => types.get(CDS)?.state)).toEqual(['SYNCED'])
  stream.finish()
  expect(await stream.ended).toMatchObject({ code: 0 })
})

test('the grpc-js of the repository is one that messages can go past', async () => {
  const server = new Server()
  const found = new Promise((resolve) => {
    const seen = (call: Parameters<typeof directStreamOf>[0]): void => {
      resolve(directStreamOf(call) !== undefined)
      call.end()
    }
    server.addService(definitionOf(ADS), { StreamAggregatedResources: seen, DeltaAggregatedResources: seen })
  })
  const client = connect(await bind(server))
  undo.push(() => client.close())
  client.delta()
  expect(await found).toBe(true)
})
