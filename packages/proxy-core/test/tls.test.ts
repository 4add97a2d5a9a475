import { X509Certificate } from 'node:crypto'
import { Duplex } from 'node:stream'
import { connect as connectTlsSocket } from 'node:tls'
import { createWatch, systemClock } from '@heddle/runtime'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { emptyStreamInfo } from '../src/http/new-stream-info.js'
import type { Connection } from '../src/net/connection.js'
import { createMemoryNetwork } from '../src/net/memory.js'
import type { Network } from '../src/net/network.js'
import { createTls } from '../src/net/node-tls.js'
import { peerRules } from '../src/net/peer-rules.js'
import { createSystemNetwork } from '../src/net/socket.js'
import type { ClientTlsContext, ServerTlsContext, TlsMaterial } from '../src/net/tls.js'
import { compileTextFormat } from '../src/observe/log-format.js'
import { type Identity, issue, spiffe } from './certificates.js'

const tls = createTls()
let root: Identity
let stranger: Identity
let server: Identity
let client: Identity
let impostor: Identity
let serverOnly: Identity
beforeAll(() => {
  root = issue({ commonName: 'root', ca: true })
  stranger = issue({ commonName: 'root', ca: true })
  server = issue({ commonName: 'server', uris: [spiffe('server')] }, root)
  client = issue({ commonName: 'client', uris: [spiffe('client')], dns: ['client.example'] }, root)
  impostor = issue({ commonName: 'client', uris: [spiffe('client')] }, stranger)
  serverOnly = issue({ commonName: 'client', uris: [spiffe('client')], usage: 'server' }, root)
})

const material = (identity: Identity): TlsMaterial => ({
  certificateChain: identity.certificate,
  privateKey: identity.key,
  trustBundle: root.certificate,
})
const serverContext = (overrides: Partial<ServerTlsContext> = {}): ServerTlsContext => ({
  material: createWatch<TlsMaterial | undefined>(material(server)),
  alpn: ['h2', 'http/1.1'],
  requireClientCertificate: true,
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ...overrides,
})
const clientContext = (overrides: Partial<ClientTlsContext> = {}): ClientTlsContext => ({
  material: createWatch<TlsMaterial | undefined>(material(client)),
  sni: 'outbound_.80_._.server.default.svc.cluster.local',
  alpn: ['http/1.1'],
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
  ...overrides,
})

const opened: Connection[] = []
afterEach(() => {
  for (const connection of opened.splice(0)) connection.destroy()
})

async function connectBoth(
  network: Network,
  serverSide: ServerTlsContext,
  clientSide: ClientTlsContext,
): Promise<[server: Connection, client: Connection]> {
  let accepted: Promise<Connection> | undefined
  const bound = await network.listen({ address: { address: '127.0.0.1', port: 0 } }, (connection) => {
    accepted = tls.accept(connection, serverSide)
    accepted.catch(() => {})
  })
  try {
    const outgoing = await network.connect({ address: bound.address, timeoutMs: 20_000 })
    const [ours, theirs] = await Promise.allSettled([
      tls.connect(outgoing, clientSide),
      new Promise((resolve) => systemClock.after(5, () => resolve(undefined))).then(() => accepted!),
    ])
    for (const side of [ours, theirs]) if (side.status === 'fulfilled') opened.push(side.value)
    if (theirs.status === 'rejected') throw theirs.reason
    if (ours.status === 'rejected') throw ours.reason
    return [theirs.value, ours.value]
  } finally {
    await bound.close()
  }
}

function echo(connection: Connection): void {
  connection.handle({
    onData: (bytes) => void connection.write(Buffer.from(bytes)),
    onEnd: () => connection.end(),
    onDrain() {},
    onClose() {},
  })
  connection.resume()
}

function roundTrip(connection: Connection, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    connection.handle({
      onData(chunk) {
        chunks.push(Buffer.from(chunk))
        if (chunks.reduce((sum, one) => sum + one.length, 0) >= bytes.length) resolve(Buffer.concat(chunks))
      },
      onEnd: () => reject(new Error('ended early')),
      onDrain() {},
      onClose: (error) => reject(error ?? new Error('closed')),
    })
    connection.resume()
    connection.write(bytes)
  })
}

describe.each([
  ['sockets', () => createSystemNetwork({ clock: systemClock })],
  ['the in-process network', createMemoryNetwork],
])('mutual TLS over %s', (_, createNetwork) => {
  test('both sides learn who the other is, and bytes pass unchanged', async () => {
    const [accepted, outgoing] = await connectBoth(createNetwork(), serverContext(), clientContext())
    expect(accepted.tls).toMatchObject({
      peerVerified: true,
      peerUris: [spiffe('client')],
      localUris: [spiffe('server')],
      alpn: 'http/1.1',
      version: 'TLSv1.2',
    })
    expect(accepted.tls?.sni).toBe('outbound_.80_._.server.default.svc.cluster.local')
    expect(accepted.tls?.peer).toMatchObject({ subject: 'CN=client,O=Heddle', dns: ['client.example'] })
    expect(accepted.tls?.peer?.hash).toMatch(/^[0-9a-f]{64}$/)
    expect(accepted.tls?.peer?.chain()).toHaveLength(2)
    expect(outgoing.tls).toMatchObject({ peerVerified: true, peerUris: [spiffe('server')] })
    echo(accepted)
    const bytes = Buffer.alloc(300_000, 'heddle')
    expect((await roundTrip(outgoing, bytes)).equals(bytes)).toBe(true)
  })

  test('a certificate of another root is refused', async () => {
    const context = clientContext({ material: createWatch<TlsMaterial | undefined>(material(impostor)) })
    await expect(connectBoth(createNetwork(), serverContext(), context)).rejects.toThrow(/signature|unable|issuer|certificate/i)
  })

  test('no certificate is refused where one is required, and served where not', async () => {
    const bare = createWatch<TlsMaterial | undefined>({ trustBundle: root.certificate })
    await expect(connectBoth(createNetwork(), serverContext(), clientContext({ material: bare }))).rejects.toThrow(
      'no certificate',
    )
    const [accepted] = await connectBoth(
      createNetwork(),
      serverContext({ requireClientCertificate: false }),
      clientContext({ material: bare }),
    )
    expect(accepted.tls).toMatchObject({ peerVerified: false, peerUris: [] })
  })

  test('a certificate for servers only is no client certificate', async () => {
    const context = clientContext({ material: createWatch<TlsMaterial | undefined>(material(serverOnly)) })
    await expect(connectBoth(createNetwork(), serverContext(), context)).rejects.toThrow(/PURPOSE/i)
  })

  test('SAN matchers judge verified names on both sides', async () => {
    const refuse = serverContext({ rules: peerRules({ names: [(san) => san.uris.includes(spiffe('other'))] }) })
    await expect(connectBoth(createNetwork(), refuse, clientContext())).rejects.toThrow('sa/client')
    const wary = clientContext({ rules: peerRules({ names: [(san) => san.uris.includes(spiffe('other'))] }) })
    await expect(connectBoth(createNetwork(), serverContext(), wary)).rejects.toThrow('sa/server')
  })

  test("an ALPN offer of strangers is served without one; the order is the server's", async () => {
    const [accepted] = await connectBoth(createNetwork(), serverContext(), clientContext({ alpn: ['istio'] }))
    expect(accepted.tls?.alpn).toBeUndefined()
    const [both] = await connectBoth(createNetwork(), serverContext(), clientContext({ alpn: ['http/1.1', 'h2'] }))
    expect(both.tls?.alpn).toBe('h2')
  })

  test('material that is not there yet refuses, and new material serves the next handshake', async () => {
    const watch = createWatch<TlsMaterial | undefined>(undefined)
    const context = serverContext({ material: watch })
    await expect(connectBoth(createNetwork(), context, clientContext())).rejects.toThrow('has not come yet')
    watch.set(material(server))
    const [accepted, outgoing] = await connectBoth(createNetwork(), context, clientContext())
    expect(accepted.tls?.localUris).toEqual([spiffe('server')])
    const renewed = issue({ commonName: 'server', uris: [spiffe('renewed')] }, root)
    watch.set(material(renewed))
    const [, next] = await connectBoth(createNetwork(), context, clientContext())
    expect(next.tls?.peerUris).toEqual([spiffe('renewed')])
    expect(outgoing.closed).toBe(false)
  })
})

test.for([0, 20])('what a client says and ends with its handshake is heard by an owner that comes %d ms later', async (late) => {
  const context = serverContext({ requireClientCertificate: false })
  const heard = new Promise<string>((resolve, reject) => {
    const network = createSystemNetwork({ clock: systemClock })
    void network
      .listen({ address: { address: '127.0.0.1', port: 0 } }, async (accepted) => {
        const connection = await tls.accept(accepted, context)
        opened.push(connection)
        if (late > 0) await new Promise<void>((done) => void systemClock.after(late, done))
        let text = ''
        connection.handle({
          onData: (bytes) => void (text += Buffer.from(bytes).toString('latin1')),
          onEnd() {
            connection.end()
            resolve(text)
          },
          onDrain() {},
          onClose: () => reject(new Error(`closed after ${text.length} bytes`)),
        })
        connection.resume()
      })
      .then((bound) => {
        const socket = connectTlsSocket({ port: bound.address.port, host: '127.0.0.1', rejectUnauthorized: false })
        socket.on('error', reject)
        socket.on('close', () => void bound.close())
        socket.end('a'.repeat(100_000))
      })
  })
  expect((await heard).length).toBe(100_000)
})

test('plain text at a TLS listener is refused', async () => {
  const network = createSystemNetwork({ clock: systemClock })
  let outcome: Promise<Connection> | undefined
  const bound = await network.listen({ address: { address: '127.0.0.1', port: 0 } }, (connection) => {
    outcome = tls.accept(connection, serverContext())
    outcome.catch(() => {})
  })
  const plain = await network.connect({ address: bound.address, timeoutMs: 20_000 })
  const closed = new Promise<void>((resolve) => plain.onClosed(resolve))
  plain.handle({ onData() {}, onEnd: () => plain.end(), onDrain() {}, onClose() {} })
  plain.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
  await closed
  await expect(outcome).rejects.toThrow('does not speak TLS')
  await bound.close()
})

test('a client that goes after its ClientHello leaves nothing behind', async () => {
  const network = createSystemNetwork({ clock: systemClock })
  let accepted: Promise<Connection> | undefined
  const bound = await network.listen({ address: { address: '127.0.0.1', port: 0 } }, (connection) => {
    accepted = tls.accept(connection, serverContext())
    accepted.catch(() => {})
  })
  const plain = await network.connect({ address: bound.address, timeoutMs: 20_000 })
  const answered = new Promise<void>((resolve) => {
    plain.handle({ onData: () => resolve(), onEnd: () => plain.end(), onDrain() {}, onClose() {} })
  })
  const hello = new Duplex({
    read() {},
    write(bytes: Buffer, _encoding, done) {
      plain.write(bytes)
      done()
    },
  })
  connectTlsSocket({ socket: hello, rejectUnauthorized: false }).on('error', () => {})
  await answered
  plain.end()
  await expect(accepted).rejects.toThrow('closed during the TLS handshake')
  await bound.close()
})

test('whatever stands in the bundle is an anchor, self-signed or not', async () => {
  const between = issue({ commonName: 'between', ca: true }, root)
  const leaf = issue({ commonName: 'leaf', uris: [spiffe('leaf')] }, between)
  const trusting = (bundle: Identity): ServerTlsContext =>
    serverContext({ material: createWatch<TlsMaterial | undefined>({ ...material(server), trustBundle: bundle.certificate }) })
  const withLeaf = clientContext({ material: createWatch<TlsMaterial | undefined>(material(leaf)) })
  const network = createSystemNetwork({ clock: systemClock })
  for (const anchor of [between, leaf]) {
    const [accepted] = await connectBoth(network, trusting(anchor), withLeaf)
    expect(accepted.tls?.peerUris).toEqual([spiffe('leaf')])
  }
  await expect(connectBoth(network, trusting(stranger), withLeaf)).rejects.toThrow()
})

test('of several certificates each side knows which was shown; without a name nobody is served where one is asked', async () => {
  const other = issue({ commonName: 'other', uris: [spiffe('other')], dns: ['other.example'] }, root)
  const both: TlsMaterial = { ...material(server), others: [{ certificateChain: other.certificate, privateKey: other.key }] }
  const shown = async (terms: Partial<ServerTlsContext>, sni?: string): Promise<readonly string[] | undefined> => {
    const context = serverContext({ material: createWatch<TlsMaterial | undefined>(both), ...terms })
    const { sni: _, ...anonymous } = clientContext()
    const named = sni === undefined ? anonymous : { ...anonymous, sni }
    const [accepted, outgoing] = await connectBoth(createSystemNetwork({ clock: systemClock }), context, named)
    expect(accepted.tls?.localUris).toEqual(outgoing.tls?.peerUris)
    return outgoing.tls?.peerUris
  }
  expect(await shown({}, 'other.example')).toEqual([spiffe('other')])
  expect(await shown({ requiresServerName: true }, 'nobody.example')).toEqual([spiffe('server')])
  expect(await shown({})).toEqual([spiffe('server')])
  await expect(shown({ requiresServerName: true })).rejects.toThrow()
})

test('logs tell of the certificates of both sides, and of the chain', async () => {
  const between = issue({ commonName: 'between', ca: true }, root)
  const leaf = issue({ commonName: 'leaf', dns: ['a.example'] }, between)
  const own = issue({ commonName: 'own, Inc.', uris: [spiffe('own')], dns: ['b.example', 'c.example'] }, root)
  const trusts = (identity: Identity, chain = ''): { material: ServerTlsContext['material'] } => ({
    material: createWatch<TlsMaterial | undefined>({ ...material(identity), certificateChain: identity.certificate + chain }),
  })
  const network = createSystemNetwork({ clock: systemClock })
  const [accepted, outgoing] = await connectBoth(
    network,
    serverContext(trusts(own)),
    clientContext(trusts(leaf, between.certificate)),
  )
  const line = (format: string): string => {
    const compiled = compileTextFormat(format, 'format', { omitEmptyValues: false })
    if (!compiled.ok) throw new Error(compiled.diagnostics[0]?.message)
    return compiled.value({
      info: Object.assign(emptyStreamInfo(), { downstreamTls: accepted.tls, upstreamTls: outgoing.tls }),
    })
  }
  const [one, two] = [leaf, between].map(({ certificate }) => new X509Certificate(certificate))
  const plain = (fingerprint = ''): string => fingerprint.replaceAll(':', '').toLowerCase()
  expect(line('%DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256%')).toBe(`${plain(one?.fingerprint256)},${plain(two?.fingerprint256)}`)
  expect(line('%DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1%')).toBe(`${plain(one?.fingerprint)},${plain(two?.fingerprint)}`)
  expect(line('%DOWNSTREAM_PEER_CHAIN_SERIALS%')).toBe(`${one?.serialNumber},${two?.serialNumber}`.toLowerCase())
  expect(line('%DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256% %DOWNSTREAM_PEER_ISSUER_SERIAL%')).toBe(
    `${plain(two?.fingerprint256)} ${two?.serialNumber.toLowerCase()}`,
  )
  expect(line('%DOWNSTREAM_LOCAL_SUBJECT% %DOWNSTREAM_LOCAL_DNS_SAN%')).toBe('CN=own\\, Inc.,O=Heddle b.example,c.example')
  expect(line('%DOWNSTREAM_LOCAL_IP_SAN% %DOWNSTREAM_LOCAL_EMAIL_SAN% %DOWNSTREAM_PEER_OTHERNAME_SAN%')).toBe('- - -')
  expect(line('%UPSTREAM_LOCAL_DNS_SAN% %UPSTREAM_PEER_DNS_SAN%')).toBe('a.example b.example,c.example')
  expect(line('%UPSTREAM_TLS_GROUP% %DOWNSTREAM_TLS_GROUP%')).toBe('X25519 X25519')
})

test('ciphers without ephemeral keys or authenticated encryption are for whom they are configured', async () => {
  const old = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-SHA:AES128-GCM-SHA256' } as const
  const network = createSystemNetwork({ clock: systemClock })
  await expect(connectBoth(network, serverContext(), clientContext(old))).rejects.toThrow()
  const [accepted] = await connectBoth(network, serverContext({ ciphers: 'AES128-GCM-SHA256' }), clientContext(old))
  expect(accepted.tls).toMatchObject({ version: 'TLSv1.2', cipher: 'AES128-GCM-SHA256', group: undefined })
})

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('what %s may come to', (version) => {
  const only = (terms: Partial<ServerTlsContext>): ServerTlsContext =>
    serverContext({ minVersion: version, maxVersion: version, ...terms })
  const wants = (terms: Partial<ClientTlsContext>): ClientTlsContext =>
    clientContext({ minVersion: version, maxVersion: version, ...terms })
  const list = version === 'TLSv1.2' ? 'ciphers' : 'suites'
  const [suite, other, chacha] =
    version === 'TLSv1.2'
      ? ['ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-CHACHA20-POLY1305']
      : ['TLS_AES_256_GCM_SHA384', 'TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256']

  test.each(['X25519', 'P-256', 'P-384', 'P-521'])('a key exchange by %s is told on both sides', async (curves) => {
    const network = createSystemNetwork({ clock: systemClock })
    const [accepted, outgoing] = await connectBoth(network, only({}), wants({ curves }))
    expect([accepted.tls?.group, outgoing.tls?.group]).toEqual([curves, curves])
  })

  test.each<[string, Partial<ServerTlsContext>, string, string]>([
    ['that the server has', { [list]: suite }, `${other}:${suite}`, suite],
    ['dearest to the server', { [list]: `${suite}:${other}` }, `${other}:${suite}`, suite],
    [
      'dearest to the client, by prefer_client_ciphers',
      { [list]: `${other}:${suite}`, prefersClientCiphers: true },
      `${suite}:${other}`,
      suite,
    ],
    ['dearest to a client without AES in hardware', { [list]: `${other}:${chacha}` }, `${chacha}:${other}`, chacha],
  ])('the cipher %s', async (_, theirs, ours, chosen) => {
    const [accepted] = await connectBoth(createSystemNetwork({ clock: systemClock }), only(theirs), wants({ [list]: ours }))
    expect(accepted.tls).toMatchObject({ version, cipher: chosen, peerVerified: true })
  })

  test.each<[string, Partial<ServerTlsContext>, Partial<ClientTlsContext>]>([
    ['curves', { curves: 'P-384' }, { curves: 'X25519:P-384' }],
    ['signature algorithms', { signatureAlgorithms: 'rsa_pss_rsae_sha512' }, {}],
  ])('%s that both know', async (_, theirs, ours) => {
    const [accepted] = await connectBoth(createSystemNetwork({ clock: systemClock }), only(theirs), wants(ours))
    expect(accepted.tls).toMatchObject({ version, peerVerified: true })
  })

  test.each<[string, Partial<ServerTlsContext>, Partial<ClientTlsContext>]>([
    ['curves', { curves: 'P-384' }, { curves: 'P-256' }],
    ['ciphers', { [list]: suite }, { [list]: other }],
    ['signature algorithms', { signatureAlgorithms: 'rsa_pss_rsae_sha512' }, { signatureAlgorithms: 'rsa_pss_rsae_sha256' }],
  ])('no %s in common', async (_, theirs, ours) => {
    await expect(connectBoth(createSystemNetwork({ clock: systemClock }), only(theirs), wants(ours))).rejects.toThrow()
  })
})
