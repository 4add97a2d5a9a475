import { createPrivateKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Client, type ClientReadableStream, credentials, Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js'
import { createWatch, systemClock, type WatchSource } from '@heddle/runtime'
import { grpcService } from '@heddle/xds-types/grpc'
import {
  type JWTBundlesResponse,
  type JWTSVIDResponse,
  SpiffeWorkloadAPI,
  type ValidateJWTSVIDResponse,
  type X509BundlesResponse,
  type X509SVIDResponse,
} from '@heddle/xds-types/spiffe/workload'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createWorkloadApi, type WorkloadEntry } from '../src/grpc/index.js'
import {
  createJwtSvidIssuer,
  createRevocations,
  createSelfSignedAuthority,
  issueIdentity,
  type ReplaceableAuthority,
  type Revocations,
  type TrustBundle,
  type TrustBundles,
  trustBundles,
  workloadGrant,
} from '../src/index.js'

const ID = 'spiffe://cluster.local/ns/shop/sa/cart'
const clock = systemClock
const methods = grpcService(SpiffeWorkloadAPI, { Buffer })
let folder: string
let server: Server
let client: Client
let authority: ReplaceableAuthority
let foreign: TrustBundle
let revocations: Revocations
let identities: WatchSource<readonly WorkloadEntry[]>
let bundles: WatchSource<TrustBundles>
let crls: WatchSource<readonly string[]>
let own: TrustBundle

async function entry(serviceAccount = 'cart', hint?: string): Promise<WorkloadEntry> {
  const who = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount }
  const issued = await issueIdentity(authority, workloadGrant(who))
  return {
    ...issued,
    spiffeId: `spiffe://cluster.local/ns/shop/sa/${serviceAccount}`,
    notAfter: 0,
    ...(hint === undefined ? {} : { hint }),
  }
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'heddle-workload-'))
  authority = await createSelfSignedAuthority({ clock })
  const jwt = await createJwtSvidIssuer({ clock })
  const stranger = await createSelfSignedAuthority({ clock, trustDomain: 'other.example' })
  foreign = { trustDomain: 'other.example', x509Authorities: stranger.trustBundle.current }
  own = { trustDomain: 'cluster.local', x509Authorities: authority.trustBundle.current, jwtAuthorities: jwt.jwtAuthorities }
  revocations = await createRevocations({ authority, clock })
  identities = createWatch<readonly WorkloadEntry[]>([])
  bundles = createWatch(trustBundles(own))
  crls = createWatch<readonly string[]>([])
  server = new Server()
  createWorkloadApi({ identities, bundles, crls, jwt, clock }).addTo(server)
  const address = `unix:${path.join(folder, 'agent.sock')}`
  await new Promise((resolve, reject) =>
    server.bindAsync(address, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve(undefined))),
  )
  client = new Client(address, credentials.createInsecure())
})

afterAll(async () => {
  client.close()
  revocations.close()
  server.forceShutdown()
  await rm(folder, { recursive: true })
})

beforeEach(async () => {
  identities.set([await entry()])
  bundles.set(trustBundles(own, foreign))
  crls.set([])
})

type Method = keyof typeof methods
const header = (value: string | undefined = 'true'): Metadata => {
  const metadata = new Metadata()
  if (value !== '') metadata.set('workload.spiffe.io', value)
  return metadata
}

function stream<Response>(method: Method, metadata = header()): ClientReadableStream<Response> {
  const { path, requestSerialize, responseDeserialize } = methods[method]
  const call = client.makeServerStreamRequest(
    path,
    requestSerialize as (message: object) => Buffer,
    responseDeserialize as unknown as (bytes: Buffer) => Response,
    {},
    metadata,
  )
  call.on('error', () => {})
  return call
}
const next = async <Response>(call: ClientReadableStream<Response>): Promise<Response> =>
  (await once(call, 'data'))[0] as Response
const failure = async (call: ClientReadableStream<unknown>): Promise<status> =>
  ((await new Promise((resolve) => call.on('error', resolve))) as { code: status }).code

function unary<Response>(method: Method, request: object, metadata = header()): Promise<Response> {
  const { path, requestSerialize, responseDeserialize } = methods[method]
  return new Promise((resolve, reject) =>
    client.makeUnaryRequest(
      path,
      requestSerialize as (message: object) => Buffer,
      responseDeserialize as unknown as (bytes: Buffer) => Response,
      request,
      metadata,
      (error, response) => (error === null ? resolve(response as Response) : reject(error)),
    ),
  )
}
const codeOf = (promise: Promise<unknown>): Promise<status> =>
  promise.then(
    () => status.OK,
    (error: { code: status }) => error.code,
  )
const bytes = (value: unknown): Buffer =>
  typeof value === 'string' ? Buffer.from(value, 'base64') : Buffer.from(value as Uint8Array)

describe('Workload Endpoint', () => {
  it.each(['FetchX509SVID', 'FetchX509Bundles', 'FetchJWTBundles'] as const)(
    '§3, §6 %s without the header is INVALID_ARGUMENT',
    async (method) => {
      expect(await failure(stream(method, header('')))).toBe(status.INVALID_ARGUMENT)
      expect(await failure(stream(method, header('TRUE')))).toBe(status.INVALID_ARGUMENT)
    },
  )

  it('§3, §6 so are the calls of the JWT profile', async () => {
    expect(await codeOf(unary('FetchJWTSVID', { audience: ['a'] }, header('')))).toBe(status.INVALID_ARGUMENT)
    expect(await codeOf(unary('ValidateJWTSVID', { audience: 'a', svid: 'b' }, header('')))).toBe(status.INVALID_ARGUMENT)
  })

  it('§6 a workload without an identity is PERMISSION_DENIED, at once and when it loses it', async () => {
    const call = stream<X509SVIDResponse>('FetchX509SVID')
    await next(call)
    identities.set([])
    expect(await failure(call)).toBe(status.PERMISSION_DENIED)
    expect(await failure(stream('FetchX509SVID'))).toBe(status.PERMISSION_DENIED)
  })
})

describe('Workload API', () => {
  it('§5.2.1 an SVID comes with its key, its chain and the bundle of its trust domain', async () => {
    const call = stream<X509SVIDResponse>('FetchX509SVID')
    const { svids = [], federated_bundles = {} } = await next(call)
    call.cancel()
    const [svid] = svids
    const leaf = new X509Certificate(bytes(svid?.x509_svid))
    expect([svid?.spiffe_id, leaf.subjectAltName]).toEqual([ID, `URI:${ID}`])
    const key = createPrivateKey({ key: bytes(svid?.x509_svid_key), format: 'der', type: 'pkcs8' })
    expect(leaf.checkPrivateKey(key)).toBe(true)
    expect(leaf.verify(new X509Certificate(bytes(svid?.bundle)).publicKey)).toBe(true)
    expect(Object.keys(federated_bundles)).toEqual(['spiffe://other.example'])
  })

  it('§4.3 each answer is whole; a rotation comes by itself', async () => {
    const call = stream<X509SVIDResponse>('FetchX509SVID')
    const first = await next(call)
    identities.set([await entry()])
    const second = await next(call)
    expect(bytes(second.svids?.[0]?.x509_svid).equals(bytes(first.svids?.[0]?.x509_svid))).toBe(false)
    expect(Object.keys(second.federated_bundles ?? {})).toEqual(['spiffe://other.example'])
    bundles.set(trustBundles(own))
    const third = await next(call)
    expect(Object.keys(third.federated_bundles ?? {})).toEqual([])
    expect(third.svids).toHaveLength(1)
    call.cancel()
  })

  it('§5.2.1 revoked certificates come as CRLs', async () => {
    const call = stream<X509SVIDResponse>('FetchX509SVID')
    expect((await next(call)).crl ?? []).toHaveLength(0)
    crls.set([revocations.crl.current])
    expect((await next(call)).crl).toHaveLength(1)
    call.cancel()
  })

  it('§5.3 the default identity is the first; hints tell the others apart', async () => {
    identities.set([await entry('cart', 'internal'), await entry('shop', 'external')])
    const call = stream<X509SVIDResponse>('FetchX509SVID')
    const { svids = [] } = await next(call)
    call.cancel()
    expect(svids.map(({ spiffe_id, hint }) => [spiffe_id, hint])).toEqual([
      [ID, 'internal'],
      ['spiffe://cluster.local/ns/shop/sa/shop', 'external'],
    ])
  })

  it('§5.2.1 a hint is there once', async () => {
    identities.set([await entry('cart', 'same'), await entry('shop', 'same')])
    const call = stream<X509SVIDResponse>('FetchX509SVID')
    const { svids = [] } = await next(call)
    call.cancel()
    expect(svids.map(({ hint = '' }) => hint)).toEqual(['same', ''])
  })

  it('§5.2.2 bundles are those of its own trust domain and of the federated ones', async () => {
    const call = stream<X509BundlesResponse>('FetchX509Bundles')
    const { bundles: got = {} } = await next(call)
    call.cancel()
    expect(Object.keys(got).sort()).toEqual(['spiffe://cluster.local', 'spiffe://other.example'])
    expect(new X509Certificate(bytes(got['spiffe://other.example'])).ca).toBe(true)
  })

  it('§6.2.1 JWT-SVIDs are for the audience that is asked for, and for its own identities only', async () => {
    const { svids = [] } = await unary<JWTSVIDResponse>('FetchJWTSVID', { audience: ['reports'] })
    const token = svids[0]?.svid ?? ''
    const checked = await unary<ValidateJWTSVIDResponse>('ValidateJWTSVID', { audience: 'reports', svid: token })
    expect([checked.spiffe_id, checked.claims?.['sub']]).toEqual([ID, ID])
    expect(await codeOf(unary('ValidateJWTSVID', { audience: 'billing', svid: token }))).toBe(status.INVALID_ARGUMENT)
    expect(await codeOf(unary('FetchJWTSVID', { audience: ['reports'], spiffe_id: 'spiffe://cluster.local/ns/a/sa/b' }))).toBe(
      status.PERMISSION_DENIED,
    )
    expect(await codeOf(unary('FetchJWTSVID', { audience: [] }))).toBe(status.INVALID_ARGUMENT)
  })

  it('§6.2.2 JWT bundles hold keys for tokens only', async () => {
    const call = stream<JWTBundlesResponse>('FetchJWTBundles')
    const { bundles: got = {} } = await next(call)
    call.cancel()
    const { keys } = JSON.parse(bytes(got['spiffe://cluster.local']).toString()) as { keys: Record<string, unknown>[] }
    expect(keys.map(({ kty, x5c, d }) => [kty, x5c, d])).toEqual([['EC', undefined, undefined]])
  })

  it('§7 the WIT-SVID profile is UNIMPLEMENTED', async () => {
    expect(await failure(stream('FetchWITSVID'))).toBe(status.UNIMPLEMENTED)
    expect(await failure(stream('FetchWITBundles'))).toBe(status.UNIMPLEMENTED)
  })
})
