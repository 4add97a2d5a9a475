import { createWatch, systemClock } from '@heddle/runtime'
import { afterEach, beforeAll, describe, expect, it, test } from 'vitest'
import type { Connection, SocketAddress } from '../src/net/connection.js'
import { createTls } from '../src/net/node-tls.js'
import { type PeerRules, peerRules } from '../src/net/peer-rules.js'
import { createSystemNetwork } from '../src/net/socket.js'
import type { ClientTlsContext, ServerTlsContext, TlsMaterial } from '../src/net/tls.js'
import { derOf } from '../src/net/x509/pem.js'
import { type Identity, issue, spiffe } from './certificates.js'

const HOUR_MS = 3_600_000
const network = createSystemNetwork({ clock: systemClock })
let later = 0
const tls = createTls({ clock: { ...systemClock, now: () => systemClock.now() + later } })

let root: Identity
let other: Identity
let between: Identity
let server: Identity
let client: Identity
beforeAll(() => {
  root = issue({ commonName: 'root', ca: true, hours: 100 })
  other = issue({ commonName: 'other root', ca: true })
  between = issue({ commonName: 'between', ca: true, hours: 100 }, root)
  server = issue({ commonName: 'server', uris: [spiffe('server')], hours: 90 }, root)
  client = issue({ commonName: 'client', uris: [spiffe('client')], hours: 10 }, between)
})

const closers: (() => unknown)[] = []
afterEach(async () => {
  later = 0
  for (const close of closers.splice(0).reverse()) await close()
})

const named = (serviceAccount: string): PeerRules => peerRules({ names: [({ uris }) => uris.includes(spiffe(serviceAccount))] })

function material({ certificate, key }: Identity, ...chain: Identity[]): TlsMaterial {
  const certificateChain = [certificate, ...chain.map((one) => one.certificate)].join('')
  return { certificateChain, privateKey: key, trustBundle: root.certificate }
}

function serverSide(overrides: Partial<ServerTlsContext> = {}): ServerTlsContext {
  const terms = { alpn: ['h2', 'http/1.1'], minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' } as const
  const watch = createWatch<TlsMaterial | undefined>(material(server))
  return { material: watch, requireClientCertificate: true, sessionTimeoutS: 7200, ...terms, ...overrides }
}

function clientSide(maxVersion: 'TLSv1.2' | 'TLSv1.3', overrides: Partial<ClientTlsContext> = {}): ClientTlsContext {
  const watch = createWatch<TlsMaterial | undefined>(material(client, between))
  return { material: watch, sni: 'server.test', alpn: ['h2'], minVersion: 'TLSv1.2', maxVersion, ...overrides }
}

interface Listening {
  readonly address: SocketAddress
  /** What the server made of the last connection. */
  outcome: Promise<Connection> | undefined
}

async function listen(context: ServerTlsContext): Promise<Listening> {
  const listening: { -readonly [K in keyof Listening]: Listening[K] } = { address: { address: '', port: 0 }, outcome: undefined }
  const bound = await network.listen({ address: { address: '127.0.0.1', port: 0 } }, (connection) => {
    listening.outcome = tls.accept(connection, context)
    listening.outcome.then(
      (secured) => {
        closers.push(() => secured.destroy())
        secured.handle({ onData() {}, onEnd: () => secured.end(), onDrain() {}, onClose() {} })
        secured.resume()
        secured.write(Buffer.from('hello'))
      },
      () => {},
    )
  })
  closers.push(() => bound.close())
  listening.address = bound.address
  return listening
}

/** The client's end of a connection on which a byte has come, and with it the sessions of TLS 1.3. */
async function call({ address }: Listening, context: ClientTlsContext): Promise<Connection> {
  const connection = await tls.connect(await network.connect({ address, timeoutMs: 20_000 }), context)
  closers.push(() => connection.destroy())
  await new Promise<void>((resolve, reject) => {
    connection.handle({
      onData: () => resolve(),
      onEnd: () => connection.destroy(),
      onDrain() {},
      onClose: (error) => reject(error ?? new Error('closed')),
    })
    connection.resume()
  })
  return connection
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', (version) => {
  it('knows a client again, with its name and its whole chain, and the server too', async () => {
    const at = await listen(serverSide({ rules: named('client') }))
    const context = clientSide(version, { rules: named('server') })
    const first = await call(at, context)
    const whole = (await at.outcome)?.tls
    for (let again = 0; again < 2; again++) {
      const second = await call(at, context)
      const peer = expect.objectContaining({ hash: first.tls?.peer?.hash })
      // TLS 1.2 exchanges no keys when it resumes: OpenSSL 3.0 knows of none then, later ones of those of the session.
      const group = version === 'TLSv1.2' ? second.tls?.group : first.tls?.group
      expect([undefined, first.tls?.group]).toContain(group)
      expect(second.tls).toEqual({ ...first.tls, resumed: true, group, peer })
      const known = (await at.outcome)?.tls
      expect(known).toMatchObject({ resumed: true, peerVerified: true, peerUris: [spiffe('client')], alpn: 'h2', version })
      expect(known?.peer?.chain()).toEqual(whole?.peer?.chain())
      expect(known?.peer?.chain()[1]).toEqual(derOf(between.certificate)[0])
    }
  })

  test('CVE-2022-21654: who is known again is judged by the rules of now', async () => {
    const watch = createWatch<TlsMaterial | undefined>(material(server))
    const rules = { names: [...named('client').names] }
    const at = await listen(serverSide({ material: watch, rules: peerRules(rules) }))
    const context = clientSide(version)
    await call(at, context)
    rules.names.splice(0, 1, ...named('somebody').names)
    await expect(call(at, context)).rejects.toThrow()
    await expect(at.outcome).rejects.toThrow('which the SAN matchers do not let in')
  })

  test('a server that is known again must still be who it should be', async () => {
    const at = await listen(serverSide())
    const context = clientSide(version)
    await call(at, context)
    await expect(call(at, { ...context, rules: named('somebody') })).rejects.toThrow('which the SAN matchers do not let in')
  })

  test('CVE-2022-21654: no ticket outlives a change of the trust that it was given under', async () => {
    const watch = createWatch<TlsMaterial | undefined>(material(server))
    const at = await listen(serverSide({ material: watch }))
    const context = clientSide(version)
    await call(at, context)
    watch.set({ ...material(server), trustBundle: other.certificate })
    await expect(call(at, context)).rejects.toThrow()
    await expect(at.outcome).rejects.toThrow('UNABLE_TO_')
    watch.set(material(server))
    expect((await call(at, context)).tls?.resumed).toBe(false)
  })

  test('a client with a new certificate or other trust begins anew', async () => {
    const at = await listen(serverSide())
    const watch = createWatch<TlsMaterial | undefined>(material(client, between))
    const context = clientSide(version, { material: watch })
    await call(at, context)
    watch.set({ ...material(client, between), trustBundle: other.certificate })
    await expect(call(at, context)).rejects.toThrow('SELF_SIGNED_CERT_IN_CHAIN')
    watch.set(material(client, between))
    expect((await call(at, context)).tls?.resumed).toBe(false)
  })

  test('a certificate that has run out since is refused', async () => {
    const at = await listen(serverSide())
    const context = clientSide(version)
    await call(at, context)
    later = 20 * HOUR_MS
    await expect(call(at, context)).rejects.toThrow()
    await expect(at.outcome).rejects.toThrow('CERT_HAS_EXPIRED')
  })

  test('CVE-2026-48934: a session is for the server and the name that it was made with', async () => {
    const context = serverSide()
    const [one, two] = [await listen(context), await listen(context)]
    const calling = clientSide(version)
    await call(one, calling)
    expect((await call(two, calling)).tls?.resumed).toBe(false)
    expect((await call(one, { ...calling, sni: 'other.test' })).tls?.resumed).toBe(false)
    expect((await call(one, calling)).tls?.resumed).toBe(true)
  })

  test('where a certificate is asked for, no ticket counts of where it was not', async () => {
    const watch = createWatch<TlsMaterial | undefined>({ certificateChain: server.certificate, privateKey: server.key })
    const open = { requireClientCertificate: false }
    const at = await listen(serverSide({ material: watch, ...open }))
    const context = clientSide(version)
    await call(at, context)
    watch.set(material(server))
    const known = await call(at, context)
    expect(known.tls?.resumed).toBe(false)
    expect((await at.outcome)?.tls?.peerUris).toEqual([spiffe('client')])
  })

  test.each([
    ['disable_stateless_session_resumption', { sessionTimeoutS: 0 }, {}],
    ['max_session_keys 0', {}, { resumes: false }],
  ])('%s: every handshake is whole', async (_, serving, calling) => {
    const at = await listen(serverSide(serving))
    const context = clientSide(version, calling)
    await call(at, context)
    expect((await call(at, context)).tls?.resumed).toBe(false)
  })
})
