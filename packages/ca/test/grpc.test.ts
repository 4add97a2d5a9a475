import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { ChannelCredentials, Server, ServerCredentials, status } from '@grpc/grpc-js'
import { createWatch, systemClock, systemRandom } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type CertificateClient,
  createCertificateClient,
  createCertificateService,
  createServerCredentials,
} from '../src/grpc/index.js'
import {
  type Authenticator,
  createAuthority,
  createCertificateAuthenticator,
  createCsr,
  createFixedAuthenticator,
  createIntermediateCertificate,
  createJwtAuthenticator,
  createKey,
  createSelfSignedAuthority,
  createServerCertificate,
  createTokenIssuer,
  createWorkloadCertificate,
  firstOf,
  type Identity,
  issueIdentity,
  type ReplaceableAuthority,
  readCertificate,
  type Signer,
  type TokenIssuer,
  toPem,
  verifyOwnSvid,
  workloadGrant,
} from '../src/index.js'

const clock = systemClock
let authority: ReplaceableAuthority
let tokens: TokenIssuer
let strangers: TokenIssuer
let server: Server
let port: number
const clients: CertificateClient[] = []

beforeAll(async () => {
  authority = await createSelfSignedAuthority({ clock })
  tokens = await createTokenIssuer({ clock, issuer: 'mesh', audience: 'istio-ca' })
  strangers = await createTokenIssuer({ clock, issuer: 'mesh', audience: 'istio-ca' })
  const authenticate: Authenticator = firstOf([
    createCertificateAuthenticator(),
    createJwtAuthenticator({
      clock,
      jwks: () => tokens.jwks,
      issuer: 'mesh',
      audiences: ['istio-ca'],
      trustDomain: 'cluster.local',
    }),
  ])
  const own = await issueIdentity(authority, {
    names: [{ dns: 'istiod.istio-system.svc' }, { dns: 'localhost' }, { ip: '127.0.0.1' }],
  })
  server = new Server()
  createCertificateService({ authority, authenticate, trustDomain: 'cluster.local' }).addTo(server)
  const credentials = ServerCredentials.createSsl(null, [
    { private_key: Buffer.from(own.privateKey), cert_chain: Buffer.from(own.certificateChain) },
  ])
  port = await new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound))),
  )
})

afterAll(() => {
  for (const client of clients) client.close()
  server.forceShutdown()
})

function clientWith(token: () => Promise<string | undefined>, ttlMs?: number): CertificateClient {
  const client = createCertificateClient({
    address: `localhost:${port}`,
    credentials: ChannelCredentials.createSsl(Buffer.from(authority.trustBundle.current.join(''))),
    token,
    clock,
    ...(ttlMs === undefined ? {} : { ttlMs }),
  })
  clients.push(client)
  return client
}

async function identityOf(serviceAccount: string): Promise<Identity> {
  const { request } = clientWith(() => tokens.issue({ namespace: 'nolen', serviceAccount }))
  const certificate = createWorkloadCertificate({ clock, random: systemRandom, request })
  const identity = await certificate.ready()
  certificate.close()
  return identity
}

const refusal = async (client: CertificateClient, csr?: Uint8Array): Promise<status> =>
  client.request(csr ?? createCsr(await createKey())).then(
    () => status.OK,
    (error: { code: status }) => error.code,
  )

describe('IstioCertificateService over TLS', () => {
  it('signs for the identity of the token, whatever the request asks for', async () => {
    const client = clientWith(() => tokens.issue({ namespace: 'nolen', serviceAccount: 'apps-v1' }), 3_600_000)
    const { chain, trustBundle } = await client.request(
      createCsr(await createKey(), [{ uri: 'spiffe://cluster.local/ns/istio-system/sa/istiod' }]),
    )
    const leaf = new X509Certificate(chain[0] as string)
    expect(leaf.subjectAltName).toBe('URI:spiffe://cluster.local/ns/nolen/sa/apps-v1')
    expect(leaf.verify(new X509Certificate(trustBundle[0] as string).publicKey)).toBe(true)
    expect(Date.parse(leaf.validTo) - clock.now()).toBeLessThanOrEqual(3_600_000)
  })

  it("refuses no token, a stranger's, an expired one, a broken CSR and too long a life", async () => {
    const good = (): Promise<string> => tokens.issue({ namespace: 'nolen', serviceAccount: 'a' })
    expect(await refusal(clientWith(async () => undefined))).toBe(status.UNAUTHENTICATED)
    expect(await refusal(clientWith(() => strangers.issue({ namespace: 'nolen', serviceAccount: 'a' })))).toBe(
      status.UNAUTHENTICATED,
    )
    expect(await refusal(clientWith(() => tokens.issue({ namespace: 'nolen', serviceAccount: 'a' }, -120_000)))).toBe(
      status.UNAUTHENTICATED,
    )
    expect(await refusal(clientWith(good), Uint8Array.of(0x30, 0))).toBe(status.INVALID_ARGUMENT)
    expect(await refusal(clientWith(good, 100 * 86_400_000))).toBe(status.INVALID_ARGUMENT)
  })
})

describe('a server that renews its certificate, and knows clients by theirs', () => {
  it('shows the new certificate to new connections, and signs for certificates of its own only', async () => {
    const fake = createFakeClock({ now: clock.now() })
    const certificate = createServerCertificate({
      authority,
      names: [{ dns: 'localhost' }],
      clock: fake,
      random: { next: () => 0.5 },
    })
    const first = await certificate.ready()
    const grpc = new Server()
    createCertificateService({ authority, authenticate: createCertificateAuthenticator(), trustDomain: 'cluster.local' }).addTo(
      grpc,
    )
    const credentials = createServerCredentials({ identity: certificate.identity, clientCertificates: 'required' })
    const bound = await new Promise<number>((resolve, reject) =>
      grpc.bindAsync('127.0.0.1:0', credentials, (error, got) => (error ? reject(error) : resolve(got))),
    )
    const mine = await identityOf('apps-v1')
    const callWith = async (identity: { privateKey: string; certificateChain: string }): Promise<string> => {
      const client = createCertificateClient({
        address: `localhost:${bound}`,
        credentials: ChannelCredentials.createSsl(
          Buffer.from(authority.trustBundle.current.join('')),
          Buffer.from(identity.privateKey),
          Buffer.from(identity.certificateChain),
        ),
        clock,
      })
      clients.push(client)
      const { chain } = await client.request(createCsr(await createKey()))
      return new X509Certificate(chain[0] as string).subjectAltName ?? ''
    }
    const serial = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const options = {
          port: bound,
          host: 'localhost',
          ca: first.trustBundle,
          key: mine.privateKey,
          cert: mine.certificateChain,
          ALPNProtocols: ['h2'],
        }
        const socket = connect(options, () => {
          resolve(socket.getPeerCertificate().serialNumber)
          socket.destroy()
        })
        socket.on('error', reject)
      })
    expect(await callWith(mine)).toBe('URI:spiffe://cluster.local/ns/nolen/sa/apps-v1')
    expect(await serial()).toBe(new X509Certificate(first.certificateChain).serialNumber)
    // Half of the day and some: the authority's own clock has gone on since this one stopped.
    fake.advance(14 * 3_600_000)
    await expect.poll(() => certificate.identity.current).not.toBe(first)
    expect(await serial()).toBe(new X509Certificate(certificate.identity.current?.certificateChain ?? '').serialNumber)
    const stranger = await issueIdentity(await createSelfSignedAuthority({ clock }), {
      names: [{ uri: 'spiffe://cluster.local/ns/nolen/sa/apps-v1' }],
    })
    await expect(callWith(stranger)).rejects.toMatchObject({ code: status.UNAVAILABLE })
    certificate.close()
    grpc.forceShutdown()
  })

  it('does not believe a certificate that TLS let through unchecked', async () => {
    const identity = { names: [{ uri: 'spiffe://cluster.local/ns/istio-system/sa/istiod' }] }
    const derOf = ({ certificateChain }: { certificateChain: string }): Uint8Array =>
      new Uint8Array(new X509Certificate(certificateChain).raw)
    const own = derOf(await issueIdentity(authority, identity))
    const forged = derOf(await issueIdentity(await createSelfSignedAuthority({ clock }), identity))
    const from = (der: Uint8Array, later = 0): string | undefined =>
      verifyOwnSvid(der, { authority, trustDomain: 'cluster.local', clock: createFakeClock({ now: clock.now() + later }) })
        ?.spiffeId
    expect(from(own)).toBe(identity.names[0]?.uri)
    expect(from(forged)).toBeUndefined()
    expect(from(own, 25 * 3_600_000)).toBeUndefined()
    expect(from(new Uint8Array(new X509Certificate(authority.trustBundle.current[0] as string).raw))).toBeUndefined()
    expect(from(Uint8Array.of(1, 2, 3))).toBeUndefined()
  })
})

describe('two workloads', () => {
  it('speak mTLS and see who the other is', async () => {
    const [client, backend] = await Promise.all([identityOf('client'), identityOf('apps-v1')])
    const tls = createServer(
      {
        key: backend.privateKey,
        cert: backend.certificateChain,
        ca: backend.trustBundle,
        requestCert: true,
        rejectUnauthorized: true,
      },
      (socket) => {
        socket.end(socket.getPeerCertificate().subjectaltname ?? 'nobody')
      },
    )
    tls.listen(0, '127.0.0.1')
    await once(tls, 'listening')
    const socket: TLSSocket = connect({
      port: (tls.address() as AddressInfo).port,
      host: '127.0.0.1',
      key: client.privateKey,
      cert: client.certificateChain,
      ca: client.trustBundle,
      // An SVID has no host name: the URI is what is checked.
      checkServerIdentity: (_, peer) =>
        peer.subjectaltname === `URI:${backend.spiffeId}` ? undefined : new Error(`it is ${peer.subjectaltname}`),
    })
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk as Buffer)
    expect(socket.authorized).toBe(true)
    expect(Buffer.concat(chunks).toString()).toBe('URI:spiffe://cluster.local/ns/nolen/sa/client')
    tls.close()
  })

  it('of different roots do not', async () => {
    const other = await createSelfSignedAuthority({ clock })
    const [mine, theirs] = [
      await identityOf('client'),
      await issueIdentity(other, { names: [{ uri: 'spiffe://cluster.local/ns/nolen/sa/apps-v1' }] }),
    ]
    const tls = createServer({
      key: theirs.privateKey,
      cert: theirs.certificateChain,
      ca: mine.trustBundle,
      requestCert: true,
      rejectUnauthorized: true,
    })
    tls.on('tlsClientError', () => {})
    tls.listen(0, '127.0.0.1')
    await once(tls, 'listening')
    const socket = connect({
      port: (tls.address() as AddressInfo).port,
      host: '127.0.0.1',
      key: mine.privateKey,
      cert: mine.certificateChain,
      ca: mine.trustBundle,
      checkServerIdentity: () => undefined,
    })
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toMatch(/UNABLE_TO_VERIFY|SELF_SIGNED|UNABLE_TO_GET_ISSUER/)
    tls.close()
  })
})

describe('roots of others', () => {
  it('are told to workloads beside its own; whom they sign for is nobody here', async () => {
    const foreign = await createSelfSignedAuthority({ clock, trustDomain: 'other.example' })
    const federatedRoots = createWatch(foreign.trustBundle.current)
    const grpc = new Server()
    const authenticate = createFixedAuthenticator(
      new Map([['token', { trustDomain: 'cluster.local', namespace: 'nolen', serviceAccount: 'a' }]]),
    )
    createCertificateService({ authority, authenticate, trustDomain: 'cluster.local', federatedRoots }).addTo(grpc)
    const bound = await new Promise<number>((resolve, reject) =>
      grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, got) => (error ? reject(error) : resolve(got))),
    )
    const address = `127.0.0.1:${bound}`
    const client = createCertificateClient({
      address,
      credentials: ChannelCredentials.createInsecure(),
      token: () => 'token',
      clock,
    })
    clients.push(client)
    const { trustBundle } = await client.request(createCsr(await createKey()))
    expect(trustBundle).toEqual([...authority.trustBundle.current, ...foreign.trustBundle.current])
    const who = { trustDomain: 'cluster.local', namespace: 'nolen', serviceAccount: 'a' }
    const forged = await issueIdentity(foreign, workloadGrant(who))
    const leaf = new Uint8Array(new X509Certificate(forged.certificateChain).raw)
    expect(verifyOwnSvid(leaf, { authority, trustDomain: 'cluster.local', clock })).toBeUndefined()
    grpc.forceShutdown()
  })
})

describe('a CA under another', () => {
  it('knows its own workloads by certificate, those of its last signer too', async () => {
    const [root, next] = [await createSelfSignedAuthority({ clock }), await createSelfSignedAuthority({ clock })]
    const between = async (): Promise<Signer> => {
      const key = await createKey()
      const validity = { notBefore: clock.now() - 1000, notAfter: clock.now() + 86_400_000 }
      const der = createIntermediateCertificate(key, { organization: 'between' }, validity, root.signer.current)
      const facts = readCertificate(der)
      if (!facts.ok) throw new Error('intermediate')
      return { certificate: facts.value, key, chain: [toPem('CERTIFICATE', der)] }
    }
    const intermediate = createAuthority(await between(), root.trustBundle.current, { clock })
    const who = { trustDomain: 'cluster.local', namespace: 'nolen', serviceAccount: 'a' }
    const leafOf = async (): Promise<Uint8Array> => {
      const { certificateChain } = await issueIdentity(intermediate, workloadGrant(who))
      return new Uint8Array(new X509Certificate(certificateChain).raw)
    }
    const known = (leaf: Uint8Array, revoked = false): boolean =>
      verifyOwnSvid(leaf, {
        authority: intermediate,
        trustDomain: 'cluster.local',
        clock,
        revocations: { isRevoked: () => revoked },
      }) !== undefined
    const first = await leafOf()
    expect([known(first), known(first, true)]).toEqual([true, false])
    intermediate.replace({ signer: await between() })
    expect([known(first), known(await leafOf())]).toEqual([true, true])
    intermediate.replace({ signer: next.signer.current, trustBundle: next.trustBundle.current })
    expect([known(first), known(await leafOf())]).toEqual([false, true])
  })
})
