import { ChannelCredentials, status as GRPC } from '@grpc/grpc-js'
import { createWatch, fail, ok, problem, type Result, type WatchSource } from '@heddle/runtime'
import { afterEach, describe, expect, test } from 'vitest'
import {
  type Authenticate,
  createTlsCredentials,
  type GrpcXdsServer,
  listenGrpc,
  type ServerIdentity,
} from '../src/grpc/index.js'
import { createXdsServer, type PeerIdentity, requireNodeIdentity, type XdsServer } from '../src/index.js'
import { createTestAuthority, type Issued } from './certificates.js'
import { connect, type TestClient } from './client.js'

const CDS = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'
const ALICE = 'spiffe://cluster.local/ns/shop/sa/alice'
const BOB = 'spiffe://cluster.local/ns/shop/sa/bob'

const authority = createTestAuthority()
const serverPair = authority.issue({ dns: 'localhost' })
const alice = authority.issue({ uri: ALICE })
const stranger = createTestAuthority().issue({ uri: ALICE })
const twoNames = authority.issue({ uris: [ALICE, BOB] })

const TOKENS: Readonly<Record<string, string>> = { 'Bearer alice-token': ALICE }

/** As a control plane does it: one SPIFFE URI of the certificate, else a token. */
const authenticate: Authenticate = async (peer): Promise<Result<PeerIdentity>> => {
  const [uri, ...more] = peer.uris
  if (uri !== undefined && more.length === 0) return ok({ id: uri })
  const id = TOKENS[peer.authorization[0] ?? '']
  if (id !== undefined) return ok({ id })
  return fail(problem('test', '', 'no credential: present a workload certificate or a token'))
}
const admit = requireNodeIdentity((node) => {
  const { NAMESPACE: namespace, SERVICE_ACCOUNT: account } = node.metadata ?? {}
  return typeof namespace === 'string' && typeof account === 'string'
    ? `spiffe://cluster.local/ns/${namespace}/sa/${account}`
    : undefined
})
const aliceNode = { id: 'sidecar~alice', metadata: { NAMESPACE: 'shop', SERVICE_ACCOUNT: 'alice' } }
const bobNode = { id: 'sidecar~bob', metadata: { NAMESPACE: 'shop', SERVICE_ACCOUNT: 'bob' } }

let server: XdsServer
let listener: GrpcXdsServer
let identity: WatchSource<ServerIdentity>
const clients: TestClient[] = []

const identityOf = ({ key, certificate }: Issued): ServerIdentity => ({
  privateKey: key.toString(),
  certificateChain: certificate.toString(),
})

async function serve(): Promise<void> {
  identity = createWatch(identityOf(serverPair))
  const set = createWatch({ groups: [{ id: 'all', resources: new Map([[CDS, [{ name: 'c' }]]]) }] })
  server = createXdsServer({ resources: () => set, admit })
  const credentials = createTlsCredentials({ identity, clientRoots: createWatch(authority.root.toString()) })
  listener = await listenGrpc(server, { address: '127.0.0.1:0', credentials, authenticate })
}

function client(pair: Issued | undefined, token?: string): TestClient {
  const credentials = ChannelCredentials.createSsl(authority.root, pair?.key ?? null, pair?.certificate ?? null)
  const made = connect(listener.port, { credentials, ...(token === undefined ? {} : { token }) })
  clients.push(made)
  return made
}

afterEach(async () => {
  for (const made of clients.splice(0)) made.close()
  await listener.close()
})

describe('TLS and identity (lines 84, 85)', () => {
  test.each(['delta', 'sotw'] as const)('%s: a workload certificate is enough', async (variant) => {
    await serve()
    const stream = client(alice)[variant]()
    stream.send({ node: aliceNode, type_url: CDS })
    expect((await stream.next()).resources).toHaveLength(1)
    expect([...server.status()][0]).toMatchObject({ nodeId: 'sidecar~alice', identity: { id: ALICE }, variant })
  })
  test('a bearer token is enough', async () => {
    await serve()
    const stream = client(undefined, 'alice-token').delta()
    stream.send({ node: aliceNode, type_url: CDS })
    expect((await stream.next()).resources?.[0]?.name).toBe('c')
  })
  test('no credential, a wrong token: UNAUTHENTICATED, and nothing was read', async () => {
    await serve()
    for (const token of [undefined, 'forged']) {
      const stream = client(undefined, token).delta()
      stream.send({ node: aliceNode, type_url: CDS })
      expect(await stream.ended).toMatchObject({ code: GRPC.UNAUTHENTICATED, details: expect.stringContaining('no credential') })
      expect(stream.received).toEqual([])
    }
    expect([...server.status()]).toEqual([])
  })
  test('a certificate of another authority has no name', async () => {
    await serve()
    const stream = client(stranger).delta()
    stream.send({ node: aliceNode, type_url: CDS })
    const ended = await stream.ended
    expect([GRPC.UNAUTHENTICATED, GRPC.UNAVAILABLE]).toContain(ended.code)
    expect(stream.received).toEqual([])
  })
  test('a certificate with two URIs is nobody', async () => {
    await serve()
    const stream = client(twoNames).delta()
    stream.send({ node: aliceNode, type_url: CDS })
    expect((await stream.ended).code).toBe(GRPC.UNAUTHENTICATED)
  })
  test("someone else's node id is PERMISSION_DENIED before any data", async () => {
    await serve()
    const stream = client(alice).delta()
    stream.send({ node: bobNode, type_url: CDS })
    expect(await stream.ended).toMatchObject({ code: GRPC.PERMISSION_DENIED, details: expect.stringContaining(BOB) })
    expect(stream.received).toEqual([])
  })
  test("the server's certificate rotates: the next connection sees the new one, open streams go on", async () => {
    await serve()
    const before = client(alice).delta()
    before.send({ node: aliceNode, type_url: CDS })
    await before.next()
    const second = createTestAuthority()
    identity.set(identityOf(second.issue({ dns: 'localhost' })))
    const credentials = ChannelCredentials.createSsl(second.root, alice.key, alice.certificate)
    const after = connect(listener.port, { credentials })
    clients.push(after)
    const stream = after.delta()
    stream.send({ node: aliceNode, type_url: CDS })
    expect((await stream.next()).resources).toHaveLength(1)
    before.send({ type_url: CDS, resource_names_subscribe: ['*'], response_nonce: before.received[0]?.nonce })
    expect((await before.next()).resources).toHaveLength(1)
  })
  test('an authenticator that throws closes the stream, not the server', async () => {
    server = createXdsServer({ resources: () => createWatch(undefined) })
    listener = await listenGrpc(server, {
      address: '127.0.0.1:0',
      authenticate: () => {
        throw new Error('the token service is down')
      },
    })
    const plain = connect(listener.port)
    clients.push(plain)
    const stream = plain.delta()
    stream.send({ node: aliceNode, type_url: CDS })
    expect(await stream.ended).toMatchObject({
      code: GRPC.UNAUTHENTICATED,
      details: expect.stringContaining('the token service is down'),
    })
  })
})
