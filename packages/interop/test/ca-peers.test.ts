import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer, type TlsOptions } from 'node:tls'
import {
  createAuthority,
  createIntermediateCertificate,
  createKey,
  createRevocations,
  createSelfSignedAuthority,
  fromPem,
  type IssuedIdentity,
  issueIdentity,
  type KeyAlgorithm,
  type ReplaceableAuthority,
  readCertificate,
  readX509,
  toPem,
  workloadGrant,
} from '@heddle/ca'
import { systemClock as clock } from '@heddle/runtime'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { describeWith } from '../src/cell.js'
import { runChild } from '../src/child.js'
import { startEnvoy } from '../src/envoy.js'
import { freePorts } from '../src/free-ports.js'
import { type Handshake, handshake } from '../src/handshake.js'
import { mutualTlsBootstrap, mutualTlsClientBootstrap, startHeddle } from '../src/mutual-tls-listener.js'
import { findEnvoy } from '../src/tools.js'

// What others make of this CA's certificates and lists: OpenSSL, node:tls, stock Envoy, and our own proxy beside them.

const SERVER = 'spiffe://cluster.local/ns/shop/sa/server'
const TIMEOUT_MS = 60_000
const identityOf = (authority: ReplaceableAuthority, serviceAccount: string, algorithm?: KeyAlgorithm): Promise<IssuedIdentity> =>
  issueIdentity(authority, workloadGrant({ trustDomain: 'cluster.local', namespace: 'shop', serviceAccount }), algorithm)

function serialOf({ certificateChain }: IssuedIdentity): string {
  const read = readX509(fromPem('CERTIFICATE', certificateChain)[0] as Uint8Array)
  if (!read.ok) throw new Error(read.diagnostics[0]?.message)
  return read.value.serial
}

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

describe('OpenSSL', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'heddle-openssl-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const verify = (identity: IssuedIdentity, purpose: string, ...more: string[]): Promise<string> => {
    const leaf = file('leaf.pem', identity.certificateChain)
    const trust = file('root.pem', identity.trustBundle)
    return runChild('openssl', [
      'verify',
      '-x509_strict',
      '-purpose',
      purpose,
      ...more,
      '-CAfile',
      trust,
      '-untrusted',
      leaf,
      leaf,
    ])
  }
  const SOAK = process.env['HEDDLE_SOAK'] !== undefined
  // RSA keys of 4096 bits take seconds to find.
  const long: readonly KeyAlgorithm[] = SOAK ? ['RSA-3072', 'RSA-4096'] : []
  const algorithms: readonly KeyAlgorithm[] = ['P-256', 'P-384', 'RSA-2048', ...long, 'Ed25519']

  test.each(algorithms)(
    'verifies chains of a %s root, direct and over an intermediate, for servers and clients',
    async (algorithm) => {
      const root = await createSelfSignedAuthority({ clock, algorithm })
      const key = await createKey(algorithm)
      const day = 86_400_000
      const validity = { notBefore: clock.now() - 60_000, notAfter: clock.now() + 30 * day }
      const der = createIntermediateCertificate(
        key,
        { organization: 'between', trustDomain: 'cluster.local' },
        validity,
        root.signer.current,
      )
      const facts = readCertificate(der)
      if (!facts.ok) throw new Error(facts.diagnostics[0]?.message)
      const signer = { certificate: facts.value, key, chain: [toPem('CERTIFICATE', der)] }
      const between = createAuthority(signer, root.trustBundle.current, { clock })
      for (const authority of [root, between])
        for (const purpose of ['sslserver', 'sslclient'])
          expect(await verify(await identityOf(authority, 'cart', algorithm), purpose)).toContain(': OK')
    },
  )

  test('refuses a chain of another CA, and a revoked certificate by the list', async () => {
    const [authority, stranger] = [await createSelfSignedAuthority({ clock }), await createSelfSignedAuthority({ clock })]
    const own = await identityOf(authority, 'cart')
    const forged = { ...(await identityOf(stranger, 'cart')), trustBundle: own.trustBundle }
    await expect(verify(forged, 'sslclient')).rejects.toThrow('verification failed')
    const revocations = await createRevocations({ authority, clock })
    closers.push(() => revocations.close())
    const list = (): string[] => ['-crl_check', '-CRLfile', file('crl.pem', revocations.crl.current)]
    expect(await verify(own, 'sslclient', ...list())).toContain(': OK')
    await revocations.revoke(serialOf(own), 'keyCompromise')
    await expect(verify(own, 'sslclient', ...list())).rejects.toThrow('certificate revoked')
  })
})

interface Material {
  readonly identity: IssuedIdentity
  /** Whom it trusts, and what is revoked. */
  readonly trust: string
  readonly crl?: string
}
type StartServer = (port: number, material: Material) => Promise<unknown>

const inline = ({ identity, trust, crl }: Material): Parameters<typeof mutualTlsClientBootstrap>[2] => ({
  identity,
  validation: { trusted_ca: { inline_string: trust }, ...(crl === undefined ? {} : { crl: { inline_string: crl } }) },
})

async function startNode(port: number, { identity, trust, crl }: Material): Promise<void> {
  const options: TlsOptions = { key: identity.privateKey, cert: identity.certificateChain, ca: trust, requestCert: true }
  const server = createServer({ ...options, ...(crl === undefined ? {} : { crl }) }, (socket) => {
    socket.on('error', () => {})
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok')
  })
  server.on('tlsClientError', () => {})
  server.on('connection', (socket: Socket) => closers.push(() => socket.destroy()))
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => server.close())
}

const tool = findEnvoy()
async function startStock(bootstrap: object): Promise<void> {
  const running = await startEnvoy(tool, bootstrap)
  closers.push(() => running.close())
}
async function startOurs(bootstrap: object): Promise<void> {
  const running = await startHeddle(bootstrap)
  closers.push(() => running.close())
}

const servers: readonly [name: string, start: StartServer][] = [
  ['node:tls', startNode],
  ['stock Envoy', (port, material) => startStock(mutualTlsBootstrap(port, inline(material)))],
  ['our proxy', (port, material) => startOurs(mutualTlsBootstrap(port, inline(material)))],
]
const clients = [
  ['stock Envoy', startStock],
  ['our proxy', startOurs],
] as const

test(
  'CVE-2026-21637: odd server names and protocols end a handshake of our proxy at most; the next is served',
  async () => {
    const authority = await createSelfSignedAuthority({ clock })
    const trust = authority.trustBundle.current.join('')
    const [port = 0] = await freePorts(1)
    await startOurs(mutualTlsBootstrap(port, inline({ identity: await identityOf(authority, 'server'), trust })))
    const client = await identityOf(authority, 'client')
    const odd = [
      '__proto__',
      'constructor',
      'a'.repeat(255),
      '..',
      '*',
      'xn--',
      '\u{1f600}.example',
      "a'b.example",
      'a b',
      '-',
      '1.2.3.4.5.',
    ]
    for (const servername of odd)
      for (const ALPNProtocols of [['http/1.1'], ['\0\0'], ['x'.repeat(255)]])
        await new Promise<void>((resolve) => {
          const { privateKey: key, certificateChain: cert } = client
          const socket = connect({
            port,
            host: '127.0.0.1',
            key,
            cert,
            ca: trust,
            rejectUnauthorized: false,
            servername,
            ALPNProtocols,
          })
          socket.on('error', () => {})
          socket.on('close', () => resolve())
          socket.resume()
          socket.end('GET / HTTP/1.1\r\nhost: server\r\nconnection: close\r\n\r\n')
        })
    expect(await handshake({ port, identity: client, expected: SERVER })).toMatchObject({ ok: true })
  },
  TIMEOUT_MS,
)

describeWith(tool, 'a live handshake', () => {
  let authority: ReplaceableAuthority
  let stranger: ReplaceableAuthority
  const trust = (): string => authority.trustBundle.current.join('')
  beforeAll(async () => {
    authority = await createSelfSignedAuthority({ clock })
    stranger = await createSelfSignedAuthority({ clock })
  })
  const knock = (port: number, identity: IssuedIdentity): Promise<Handshake> =>
    handshake({ port, identity: { ...identity, trustBundle: trust() }, expected: SERVER })

  test.each(servers)(
    '%s takes a client of this CA, and refuses an impostor of another',
    async (_, start) => {
      const [port = 0] = await freePorts(1)
      await start(port, { identity: await identityOf(authority, 'server'), trust: trust() })
      expect(await knock(port, await identityOf(authority, 'client'))).toMatchObject({ ok: true })
      expect(await knock(port, await identityOf(stranger, 'client'))).toMatchObject({ ok: false })
    },
    TIMEOUT_MS,
  )

  test.each(clients)(
    '%s calls a server of this CA, and no impostor of another',
    async (_, start) => {
      const [good = 0, bad = 0, toGood = 0, toBad = 0] = await freePorts(4)
      await startNode(good, { identity: await identityOf(authority, 'server'), trust: trust() })
      await startNode(bad, { identity: await identityOf(stranger, 'server'), trust: trust() })
      const own = { identity: await identityOf(authority, 'client'), trust: trust() }
      await start(mutualTlsClientBootstrap(toGood, good, inline(own)))
      await start(mutualTlsClientBootstrap(toBad, bad, inline(own)))
      expect([await get(toGood), await get(toBad)]).toEqual([200, 503])
    },
    TIMEOUT_MS,
  )

  test.each(servers)(
    'a CRL entry is a refusal by %s',
    async (_, start) => {
      const revocations = await createRevocations({ authority, clock })
      closers.push(() => revocations.close())
      const [good, bad] = [await identityOf(authority, 'client'), await identityOf(authority, 'client')]
      await revocations.revoke(serialOf(bad))
      const [port = 0] = await freePorts(1)
      await start(port, { identity: await identityOf(authority, 'server'), trust: trust(), crl: revocations.crl.current })
      expect(await knock(port, good)).toMatchObject({ ok: true })
      expect(await knock(port, bad)).toMatchObject({ ok: false })
    },
    TIMEOUT_MS,
  )
})

function get(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    asked.on('error', reject)
    asked.end()
  })
}
