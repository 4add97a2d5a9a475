import { ChannelCredentials, Client, type ServiceError } from '@grpc/grpc-js'
import { fail, ok, problem } from '@heddle/runtime'
import { type ClientConfig, ClientStatusRequest, ClientStatusResponse } from '@heddle/xds-types/envoy/service/status/v3'
import { knownTypes } from '@heddle/xds-types/known'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { addClientStatusService, type GrpcXdsServer, listenGrpc } from '../src/grpc/index.js'
import { createSnapshotCache, createXdsServer, type SnapshotCache, type XdsServer } from '../src/index.js'
import { connect, type TestClient } from './client.js'

const CDS = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'
const SDS = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret'
const KEY = 'PRIVATE KEY OF a'
const secret = { name: 'a', tls_certificate: { private_key: { inline_string: KEY } } }

let cache: SnapshotCache
let server: XdsServer
let listener: GrpcXdsServer
let client: TestClient
let csds: Client
const closes: (() => Promise<void>)[] = []

beforeEach(async () => {
  cache = createSnapshotCache()
  server = createXdsServer({ resources: (node) => cache.watch(node.id) })
  listener = await listenGrpc(server, { address: '127.0.0.1:0' })
  addClientStatusService(listener.grpcServer, server)
  client = connect(listener.port)
  csds = new Client(`127.0.0.1:${listener.port}`, ChannelCredentials.createInsecure())
})
afterEach(async () => {
  client.close()
  csds.close()
  await listener.close()
  for (const close of closes.splice(0)) await close()
})

const pass = (bytes: Buffer): Buffer => bytes
const PATH = '/envoy.service.status.v3.ClientStatusDiscoveryService/'

function fetch(request: ClientStatusRequest, from: Client = csds): Promise<readonly ClientConfig[]> {
  return new Promise((resolve, reject) => {
    const bytes = Buffer.from(ClientStatusRequest.encode(request))
    from.makeUnaryRequest(`${PATH}FetchClientStatus`, pass, pass, bytes, (error: ServiceError | null, answer) => {
      if (error !== null || answer === undefined) return reject(error)
      resolve(read(answer))
    })
  })
}

function read(bytes: Uint8Array): readonly ClientConfig[] {
  const decoded = ClientStatusResponse.decode(bytes, knownTypes)
  if (!decoded.ok) throw new Error('not a ClientStatusResponse')
  return decoded.value.config ?? []
}

const rows = (configs: readonly ClientConfig[]): unknown[] =>
  configs.flatMap(({ node, generic_xds_configs = [] }) =>
    generic_xds_configs.map((each) => [node?.id, each.name, each.config_status, each.error_state?.details ?? '']),
  )

/** Two clusters, of which the client accepts the first version and refuses the second of one. */
async function refuseOne(nodeId: string): Promise<void> {
  const set = (b: string): void =>
    cache.set(nodeId, {
      groups: [
        {
          id: 'g',
          resources: new Map<string, object[]>([
            [CDS, [{ name: 'a' }, { name: 'b', alt_stat_name: b }]],
            [SDS, [secret]],
          ]),
        },
      ],
    })
  set('1')
  const stream = client.delta()
  stream.send({ node: { id: nodeId }, type_url: CDS })
  const first = await stream.next()
  stream.send({ type_url: CDS, response_nonce: first.nonce })
  stream.send({ type_url: SDS, resource_names_subscribe: ['a'] })
  await stream.next()
  set('2')
  const second = await stream.next()
  stream.send({ type_url: CDS, response_nonce: second.nonce, error_detail: { code: 3, message: 'b is no good' } })
  await new Promise<void>((resolve) => {
    const stop = server.subscribe(({ kind }) => {
      if (kind !== 'nacked') return
      stop()
      resolve()
    })
  })
}

test('CSDS: each resource with what its client said to it, and no key (line 87)', async () => {
  await refuseOne('n1')
  const configs = await fetch({})
  expect(rows(configs)).toEqual([
    ['n1', 'a', 'SYNCED', ''],
    ['n1', 'b', 'ERROR', 'b is no good'],
    ['n1', 'a', 'STALE', ''],
  ])
  expect(configs[0]?.generic_xds_configs?.[1]?.xds_config).toMatchObject({ '@type': CDS, name: 'b', alt_stat_name: '2' })
  const shown = configs[0]?.generic_xds_configs?.[2]
  expect([shown?.type_url, shown?.xds_config]).toEqual([SDS, undefined])
  expect(JSON.stringify(configs)).not.toContain(KEY)
})

test('node_matchers choose, contents can be left out, and a matcher that is not understood shows nothing', async () => {
  await refuseOne('n1')
  const other = client.sotw()
  cache.set('m1', { groups: [] })
  other.send({ node: { id: 'm1' }, type_url: CDS })
  await other.next()
  const ids = async (request: ClientStatusRequest): Promise<unknown[]> => (await fetch(request)).map(({ node }) => node?.id)
  expect(await ids({})).toEqual(['n1', 'm1'])
  expect(await ids({ node_matchers: [{ node_id: { exact: 'm1' } }, { node_id: { prefix: 'x' } }] })).toEqual(['m1'])
  expect(await ids({ node_matchers: [{ node_id: { suffix: 'N1', ignore_case: true } }] })).toEqual(['n1'])
  const bare = await fetch({ node_matchers: [{ node_id: { contains: 'n' } }], exclude_resource_contents: true })
  expect(bare[0]?.generic_xds_configs?.map(({ xds_config }) => xds_config)).toEqual([undefined, undefined, undefined])
  await expect(fetch({ node_matchers: [{ node_id: { safe_regex: { regex: '.*' } } }] })).rejects.toThrow(
    /node_matchers\[0\].node_id: .*safe_regex/,
  )
  await expect(fetch({ node_matchers: [{ node_metadatas: [{}] }] })).rejects.toThrow(/node_metadatas/)
})

test('a stream answers each request anew', async () => {
  await refuseOne('n1')
  const stream = csds.makeBidiStreamRequest(`${PATH}StreamClientStatus`, pass, pass)
  const answers: (readonly ClientConfig[])[] = []
  const both = new Promise<void>((resolve) => {
    stream.on('data', (bytes: Buffer) => {
      answers.push(read(bytes))
      if (answers.length === 1)
        stream.write(Buffer.from(ClientStatusRequest.encode({ node_matchers: [{ node_id: { exact: 'x' } }] })))
      else resolve()
    })
  })
  stream.write(Buffer.from(ClientStatusRequest.encode({})))
  await both
  stream.end()
  expect(answers.map((configs) => configs.length)).toEqual([1, 0])
})

test('only who may ask is answered', async () => {
  const guarded = createXdsServer({ resources: (node) => cache.watch(node.id) })
  const own = await listenGrpc(guarded, { address: '127.0.0.1:0' })
  closes.push(own.close)
  addClientStatusService(own.grpcServer, guarded, {
    authenticate: ({ authorization }) =>
      authorization.includes('Bearer x') ? ok({ id: 'x' }) : fail(problem('no', '', 'say who you are')),
  })
  const stranger = new Client(`127.0.0.1:${own.port}`, ChannelCredentials.createInsecure())
  await expect(fetch({}, stranger)).rejects.toThrow(/UNAUTHENTICATED: say who you are/)
  stranger.close()
})
