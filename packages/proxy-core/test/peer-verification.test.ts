import { createHash, createPublicKey, sign, X509Certificate } from 'node:crypto'
import { createWatch } from '@heddle/runtime'
import { beforeAll, describe, expect, test } from 'vitest'
import { createMemoryNetwork } from '../src/net/memory.js'
import { createTls } from '../src/net/node-tls.js'
import { PeerRefusedError, type PeerRules, peerRules } from '../src/net/peer-rules.js'
import type { Tls, TlsMaterial } from '../src/net/tls.js'
import { type Identity, issue, spiffe } from './certificates.js'

/** Whom a listener lets in, handshake by handshake. */

let root: Identity
let server: Identity
let client: Identity
let expired: Identity
let foreign: Identity
let foreignExpired: Identity
let expiredServer: Identity
beforeAll(() => {
  const identified = true
  root = issue({ commonName: 'root', ca: true, identified })
  const stranger = issue({ commonName: 'root', ca: true, identified })
  server = issue({ commonName: 'a.example', dns: ['a.example', 'b.example'], identified }, root)
  client = issue({ commonName: 'client', uris: [spiffe('client')], identified }, root)
  expired = issue({ commonName: 'client', uris: [spiffe('old')], hours: -1 }, root)
  expiredServer = issue({ commonName: 'client', uris: [spiffe('old')], hours: -1, usage: 'server' }, root)
  foreign = issue({ commonName: 'client', uris: [spiffe('client')] }, stranger)
  foreignExpired = issue({ commonName: 'client', uris: [spiffe('client')], hours: -1 }, stranger)
  // A process for each certificate.
}, 60_000)

const own = ({ certificate, key }: Identity): TlsMaterial => ({ certificateChain: certificate, privateKey: key })
const versions = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' } as const

interface Meeting {
  readonly client?: Identity | undefined
  readonly trust?: Partial<TlsMaterial>
  readonly rules?: Partial<PeerRules>
  readonly requires?: boolean
  readonly sni?: string
  readonly server?: TlsMaterial
  readonly tls?: Tls
}

/** What the listener knows of the client then, or why it refuses it. */
async function meet(meeting: Meeting): Promise<{ verified?: boolean; refusal?: string; message?: string; certificate?: string }> {
  const { rules, sni, tls = createTls() } = meeting
  const network = createMemoryNetwork()
  const context = {
    ...versions,
    alpn: [],
    material: createWatch<TlsMaterial | undefined>({ ...(meeting.server ?? own(server)), ...meeting.trust }),
    requireClientCertificate: meeting.requires ?? true,
    ...(rules === undefined ? {} : { rules: peerRules(rules) }),
  }
  const accepting = new Promise<{ verified?: boolean; refusal?: string; message?: string }>((resolve) => {
    void network.listen({ address: { address: '10.0.0.1', port: 443 } }, (connection) => {
      tls.accept(connection, context).then(
        ({ tls: info }) => resolve({ verified: info?.peerVerified === true }),
        (error: Error) =>
          resolve({ message: error.message, ...(error instanceof PeerRefusedError && { refusal: error.refusal }) }),
      )
    })
  })
  const outgoing = await network.connect({ address: { address: '10.0.0.1', port: 443 }, timeoutMs: 0 })
  const calling = createTls().connect(outgoing, {
    ...versions,
    alpn: [],
    material: createWatch<TlsMaterial | undefined>(meeting.client === undefined ? {} : own(meeting.client)),
    ...(sni === undefined ? {} : { sni }),
  })
  const [outcome, called] = await Promise.allSettled([accepting, calling])
  const certificate = called.status === 'fulfilled' ? called.value.tls?.peer?.dns.join() : undefined
  if (called.status === 'fulfilled') called.value.destroy()
  return { ...(outcome.status === 'fulfilled' && outcome.value), ...(certificate !== undefined && { certificate }) }
}

const trusting = (): Partial<TlsMaterial> => ({ trustBundle: root.certificate })
const hashOf = ({ certificate }: Identity): string =>
  new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase()
const spkiOf = ({ certificate }: Identity): string =>
  createHash('sha256')
    .update(createPublicKey(certificate).export({ type: 'spki', format: 'der' }))
    .digest('base64')

describe('a client certificate', () => {
  test.each<[string, () => Meeting, object]>([
    ['that is vouched for is verified', () => ({ client, trust: trusting() }), { verified: true }],
    ['that is missing is refused', () => ({ trust: trusting() }), { refusal: 'fail_verify_no_cert' }],
    [
      'that is missing, and not required, is refused where rules say whose it must be',
      () => ({ requires: false, trust: trusting(), rules: { names: [() => true] } }),
      { refusal: 'fail_verify_no_cert' },
    ],
    [
      'that is missing is refused where it is pinned',
      () => ({ requires: false, rules: { hashes: [hashOf(client)] } }),
      { refusal: 'fail_verify_no_cert' },
    ],
    ['that is missing is nobody where it is not required', () => ({ requires: false, trust: trusting() }), { verified: false }],
    [
      'that is missing is nobody where strangers are let in, whatever the rules say',
      () => ({ requires: false, trust: trusting(), rules: { names: [() => true], acceptUntrusted: true } }),
      { verified: false },
    ],
    ['of a stranger is refused', () => ({ client: foreign, trust: trusting() }), { refusal: 'fail_verify_error' }],
    ['out of its time is refused', () => ({ client: expired, trust: trusting() }), { refusal: 'fail_verify_error' }],
    [
      'out of its time is let in by option',
      () => ({ client: expired, trust: trusting(), rules: { allowExpired: true } }),
      { verified: true },
    ],
    [
      'of a stranger is not, out of its time as it may be: OpenSSL tells only one of the two',
      () => ({ client: foreignExpired, trust: trusting(), rules: { allowExpired: true } }),
      { refusal: 'fail_verify_error' },
    ],
    [
      'that is for servers is not either',
      () => ({ client: expiredServer, trust: trusting(), rules: { allowExpired: true } }),
      { refusal: 'fail_verify_error' },
    ],
    [
      'of a stranger may be accepted, unverified',
      () => ({ client: foreign, trust: trusting(), rules: { acceptUntrusted: true } }),
      { verified: false },
    ],
    [
      'that is pinned is verified',
      () => ({ client, trust: trusting(), rules: { hashes: [hashOf(client)] } }),
      { verified: true },
    ],
    [
      'that is not pinned is refused',
      () => ({ client, trust: trusting(), rules: { hashes: [hashOf(server)], spkis: [spkiOf(server)] } }),
      { refusal: 'fail_verify_cert_hash' },
    ],
    [
      'whose key is pinned is verified',
      () => ({ client, trust: trusting(), rules: { spkis: [spkiOf(client)] } }),
      { verified: true },
    ],
    [
      'of a stranger is verified by its pin alone',
      () => ({ client: foreign, rules: { hashes: [hashOf(foreign)] } }),
      { verified: true },
    ],
    [
      'whose names nobody vouches for is refused',
      () => ({ client, rules: { names: [() => true] } }),
      { refusal: 'fail_verify_san' },
    ],
  ])('%s', async (_, meeting, outcome) => {
    expect(await meet(meeting())).toMatchObject(outcome)
  })

  test('on a revocation list is refused, another one is not', async () => {
    const crl = revocationList(root, [client])
    const other = issue({ commonName: 'other', uris: [spiffe('other')] }, root)
    expect(await meet({ client, trust: { ...trusting(), crl } })).toMatchObject({
      refusal: 'fail_verify_error',
      message: 'CERT_REVOKED',
    })
    expect(await meet({ client: other, trust: { ...trusting(), crl } })).toMatchObject({ verified: true })
  })

  test('of a chain of two issuers needs a list of each: one text may hold both', async () => {
    const between = issue({ commonName: 'between', ca: true, identified: true }, root)
    const chainOf = (identity: Identity): Identity => ({ ...identity, certificate: identity.certificate + between.certificate })
    const one = chainOf(issue({ commonName: 'one', uris: [spiffe('one')] }, between))
    const two = chainOf(issue({ commonName: 'two', uris: [spiffe('two')] }, between))
    const [ofRoot, ofBetween] = [revocationList(root, []), revocationList(between, [one])]
    const outcome = (who: Identity, crl: string) => meet({ client: who, trust: { ...trusting(), crl } })
    expect(await outcome(two, ofRoot)).toMatchObject({ message: 'UNABLE_TO_GET_CRL' })
    expect(await outcome(two, ofRoot + ofBetween)).toMatchObject({ verified: true })
    expect(await outcome(one, ofRoot + ofBetween)).toMatchObject({ message: 'CERT_REVOKED' })
    expect(await outcome(two, revocationList(root, [between]) + ofBetween)).toMatchObject({ message: 'CERT_REVOKED' })
  })
})

describe('strict certificates', () => {
  const strict = createTls({ certificates: 'strict' })

  test('are those of a CA that keeps to RFC 5280', async () => {
    expect(await meet({ client, trust: trusting(), tls: strict })).toMatchObject({ verified: true })
  })

  test('are not those that OpenSSL passes over', async () => {
    const loose = issue({ commonName: 'client', uris: [spiffe('client')] }, root)
    expect(await meet({ client: loose, trust: trusting() })).toMatchObject({ verified: true })
    expect(await meet({ client: loose, trust: trusting(), tls: strict })).toMatchObject({
      refusal: 'fail_verify_error',
      message: 'a certificate has no authorityKeyIdentifier',
    })
  })
})

test('of several certificates the server name chooses, one label for a wildcard; the first is for everybody else', async () => {
  const wild = issue({ commonName: 'wild', dns: ['*.wild.example'] }, root)
  const several = { ...own(server), others: [{ certificateChain: wild.certificate, privateKey: wild.key }] }
  const shown = async (sni?: string) => (await meet({ server: several, requires: false, ...(sni && { sni }) })).certificate
  expect(await shown('b.example')).toBe('a.example,b.example')
  expect(await shown('x.wild.example')).toBe('*.wild.example')
  expect(await shown('x.y.wild.example')).toBe('a.example,b.example')
  expect(await shown()).toBe('a.example,b.example')
})

/** A CertificateList (RFC 5280 §5) by hand: nothing here writes any. */
function revocationList(issuer: Identity, revoked: readonly Identity[]): string {
  const element = (tag: number, ...content: Uint8Array[]): Buffer => {
    const body = Buffer.concat(content)
    const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 255]
    return Buffer.concat([Uint8Array.of(tag, ...length), body])
  }
  const time = (ms: number): Buffer =>
    element(0x18, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`))
  const algorithm = element(0x30, element(0x06, Buffer.from('2a864886f70d01010b', 'hex')), element(0x05))
  const { raw } = new X509Certificate(issuer.certificate)
  // O=Heddle begins both names; the issuer's own is the second.
  const subject = raw.subarray(raw.lastIndexOf(Buffer.from('310f300d060355040a', 'hex')) - 2)
  const name = subject.subarray(0, 2 + subject[1]!)
  const entries = revoked.map(({ certificate }) =>
    element(0x30, element(0x02, Buffer.from(new X509Certificate(certificate).serialNumber, 'hex')), time(Date.now() - 1000)),
  )
  const tbs = element(
    0x30,
    element(0x02, Uint8Array.of(1)),
    algorithm,
    name,
    time(Date.now() - 60_000),
    time(Date.now() + 60_000),
    ...(entries.length === 0 ? [] : [element(0x30, ...entries)]),
  )
  const signature = element(0x03, Uint8Array.of(0), sign('sha256', tbs, issuer.key))
  const der = element(0x30, tbs, algorithm, signature)
  return `-----BEGIN X509 CRL-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END X509 CRL-----\n`
}
